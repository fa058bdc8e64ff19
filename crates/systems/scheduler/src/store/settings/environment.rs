//! Variables and connections of the process's environment: `AIRFLOW_VAR_<KEY>`,
//! `AIRFLOW_CONN_<CONN_ID>`, in capitals.

use std::collections::BTreeMap;
use std::sync::Arc;

const VARIABLE: &str = "AIRFLOW_VAR_";
const CONNECTION: &str = "AIRFLOW_CONN_";

/// What the environment holds, as it was at the start. Cheap to clone.
#[derive(Clone, Default)]
pub struct Environment(Arc<BTreeMap<String, String>>);

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Environment {
    /// Of this process.
    pub fn of_process() -> Environment {
        let texts = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Environment::of(texts)
    }

    /// Of the given names and values; others than Airflow's are left out.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Environment {
        let ours = |name: &str| name.starts_with(VARIABLE) || name.starts_with(CONNECTION);
        Environment(Arc::new(variables.into_iter().filter(|(name, _)| ours(name)).collect()))
    }

    /// With more of them, which come first.
    pub fn with(self, more: impl IntoIterator<Item = (String, String)>) -> Environment {
        let known = self.0.iter().map(|(name, value)| (name.clone(), value.clone()));
        Environment::of(known.chain(more))
    }

    pub(super) fn variable(&self, key: &str) -> Option<&str> {
        self.0.get(&format!("{VARIABLE}{}", key.to_uppercase())).map(String::as_str)
    }

    /// A URI or JSON; one that is empty is none.
    pub(super) fn connection(&self, conn_id: &str) -> Option<&str> {
        let text = self.0.get(&format!("{CONNECTION}{}", conn_id.to_uppercase()))?;
        Some(text.trim()).filter(|text| !text.is_empty())
    }
}

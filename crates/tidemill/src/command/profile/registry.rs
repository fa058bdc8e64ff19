//! A schema registry.

use serde_json::Value;
use tidemill_access::RegistryAccess;

use super::Report;
use crate::command::status::addresses;
use crate::external::registry_get;

const SYSTEM: &str = "registry";

pub(super) async fn check(access: &RegistryAccess, report: &mut Report) -> anyhow::Result<()> {
    if !report.tcp(SYSTEM, &addresses(&access.url)).await? {
        return Ok(());
    }
    let subjects = match registry_get(access, "/subjects").await {
        Ok(subjects) => subjects,
        Err(error) => {
            let said = format!("{error:#}");
            let mend = match () {
                () if said.contains("401") || said.contains("403") => {
                    "set username and password of [registry]"
                }
                () if said.contains("404") => {
                    "set url to where /subjects lies; Apicurio: .../apis/ccompat/v7"
                }
                () if said.contains("certificate") => "set ssl_ca_location to its authority",
                () => "set url as the registry has it, http or https",
            };
            return report.bad((SYSTEM, "authentication"), said, mend);
        }
    };
    let user = access.credentials.as_ref().map(|one| one.username.as_str());
    report.good((SYSTEM, "authentication"), user.unwrap_or("none asked for"))?;
    let count = subjects.as_array().map_or(0, Vec::len);
    report.good((SYSTEM, "subjects"), format!("{count} (GET /subjects)"))?;
    mode(access, report).await
}

/// Registering is not tried: there is no way to take a schema's id back.
async fn mode(access: &RegistryAccess, report: &mut Report) -> anyhow::Result<()> {
    let mode = match registry_get(access, "/mode").await {
        Ok(answer) => answer.get("mode").and_then(Value::as_str).unwrap_or_default().to_owned(),
        Err(error) => {
            let mend = "whether schemas can be registered is not known";
            return report.doubtful((SYSTEM, "may"), format!("{error:#}"), mend);
        }
    };
    match mode.as_str() {
        "READWRITE" => report.good((SYSTEM, "may"), "register schemas (its mode is READWRITE)"),
        other => report.bad(
            (SYSTEM, "may"),
            format!("read only: its mode is {other}"),
            "set its mode to READWRITE (PUT /mode), unless pipelines only read",
        ),
    }
}

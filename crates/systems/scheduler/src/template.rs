//! Jinja templates in DAG files, with Airflow's names and undefined names as errors.
//!
//! A text that is one `{{ expression }}` and nothing else keeps the expression's JSON type, so a
//! post code that is a number stays one; any other text renders to text.

use std::collections::HashSet;
use std::sync::Arc;

use minijinja::value::{Serde, Value as Dynamic};
use minijinja::{Environment, Error, ErrorKind, Expression, Template, UndefinedBehavior, context};
use serde_json::{Map, Value};
use tidemill_runtime::{Random, World};

/// How deep a template's value may be nested.
const DEPTH_MAX: usize = 64;

/// What every template of a task can name: Airflow's context, and our functions.
const TASK_NAMES: [&str; 25] = [
    "ds",
    "ds_nodash",
    "ts",
    "ts_nodash",
    "ts_nodash_with_tz",
    "logical_date",
    "data_interval_start",
    "data_interval_end",
    "run_id",
    "run_after",
    "dag",
    "dag_run",
    "task",
    "ti",
    "task_instance",
    "params",
    "conf",
    "xcom",
    "uuid4",
    "namespace",
    "range",
    "dict",
    "true",
    "false",
    "none",
];

/// Which names a template can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The run's and the task's.
    Task,
    /// These, and `record`.
    Record,
}

/// Why a template gave no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template {template:?}: {reason}")]
pub struct TemplateError {
    /// Its text.
    pub template: String,
    /// What the engine says.
    pub reason: String,
}

/// Compiles and renders.
pub struct Templates {
    environment: Environment<'static>,
}

impl std::fmt::Debug for Templates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Templates")
    }
}

impl Templates {
    /// With `uuid4()` from the world's chance.
    pub fn new(world: &World) -> Templates {
        let random: Arc<dyn Random> = world.random.clone();
        Templates::with_uuid(move || random.uuid().to_string())
    }

    /// For looking at templates without rendering them.
    pub(crate) fn for_checks() -> Templates {
        Templates::with_uuid(String::new)
    }

    fn with_uuid(uuid4: impl Fn() -> String + Send + Sync + 'static) -> Templates {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.add_function("uuid4", uuid4);
        environment.add_filter("tojson", |value: Dynamic| {
            serde_json::to_string(&value)
                .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
        });
        Templates { environment }
    }

    /// Looks at every text in a value: does it compile, and are its names known?
    pub fn check(&self, value: &Value, scope: Scope) -> Result<(), String> {
        match value {
            Value::String(text) => self.check_text(text, scope),
            Value::Array(items) => items.iter().try_for_each(|item| self.check(item, scope)),
            Value::Object(map) => map.values().try_for_each(|item| self.check(item, scope)),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    fn check_text(&self, text: &str, scope: Scope) -> Result<(), String> {
        let names = match self.text(text).map_err(|error| error.to_string())? {
            Compiled::Expression(expression, _) => expression.undeclared_variables(false),
            Compiled::Text(template, _) => template.undeclared_variables(false),
            _ => HashSet::new(),
        };
        let known =
            |name: &str| TASK_NAMES.contains(&name) || (scope == Scope::Record && name == "record");
        let mut unknown: Vec<&String> = names.iter().filter(|name| !known(name)).collect();
        unknown.sort();
        match unknown.first() {
            None => Ok(()),
            Some(name) if *name == "record" => {
                Err(format!("template {text:?}: record is known in key and value only"))
            }
            Some(name) => Err(format!(
                "template {text:?}: {name} is unknown; known: {}{}",
                TASK_NAMES[..19].join(", "),
                if scope == Scope::Record { ", record" } else { "" }
            )),
        }
    }

    /// Prepares a value to be rendered many times.
    pub fn compile<'a>(&'a self, value: &'a Value) -> Result<Compiled<'a>, TemplateError> {
        self.compile_at(value, 0)
    }

    fn compile_at<'a>(
        &'a self,
        value: &'a Value,
        depth: usize,
    ) -> Result<Compiled<'a>, TemplateError> {
        if depth > DEPTH_MAX {
            let reason = format!("nested deeper than {DEPTH_MAX}");
            return Err(TemplateError { template: String::new(), reason });
        }
        Ok(match value {
            Value::String(text) => self.text(text)?,
            Value::Array(items) => {
                let items = items.iter().map(|item| self.compile_at(item, depth + 1));
                Compiled::List(items.collect::<Result<_, _>>()?)
            }
            Value::Object(map) => {
                let fields = map
                    .iter()
                    .map(|(name, item)| Ok((name.as_str(), self.compile_at(item, depth + 1)?)));
                Compiled::Map(fields.collect::<Result<_, TemplateError>>()?)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Compiled::Literal(value),
        })
    }

    fn text<'a>(&'a self, text: &'a str) -> Result<Compiled<'a>, TemplateError> {
        let failed = |error: Error| failed(text, &error);
        if !text.contains('{') {
            return Ok(Compiled::Plain(text));
        }
        if let Some(expression) = single_expression(text) {
            let compiled = self.environment.compile_expression(expression).map_err(failed)?;
            return Ok(Compiled::Expression(compiled, text));
        }
        Ok(Compiled::Text(self.environment.template_from_str(text).map_err(failed)?, text))
    }

    /// Renders every text in a value once.
    pub fn render(&self, value: &Value, context: &Dynamic) -> Result<Value, TemplateError> {
        self.compile(value)?.render(context)
    }

    /// Renders one text to text.
    pub fn render_text(&self, text: &str, context: &Dynamic) -> Result<String, TemplateError> {
        Ok(as_text(self.text(text)?.render(context)?))
    }
}

/// Text as it is, anything else as JSON.
pub fn as_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// The inside of `{{ … }}` if that is all there is.
fn single_expression(text: &str) -> Option<&str> {
    let inside = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let inside = inside.trim_start_matches('-').trim_end_matches('-');
    // Two expressions side by side also begin and end with braces.
    (!inside.contains("{{") && !inside.contains("}}") && !inside.contains("{%")).then_some(inside)
}

/// A value with its templates compiled.
pub enum Compiled<'a> {
    /// Text without a template.
    Plain(&'a str),
    /// One expression, whose type is kept.
    Expression(Expression<'a, 'a>, &'a str),
    /// Text with templates in it.
    Text(Template<'a, 'a>, &'a str),
    /// Neither text nor container.
    Literal(&'a Value),
    /// A list.
    List(Vec<Compiled<'a>>),
    /// A map in the order of the file.
    Map(Vec<(&'a str, Compiled<'a>)>),
}

impl Compiled<'_> {
    /// The value, as JSON.
    pub fn render(&self, context: &Dynamic) -> Result<Value, TemplateError> {
        Ok(match self {
            Compiled::Plain(text) => Value::String((*text).to_owned()),
            Compiled::Literal(value) => (*value).clone(),
            Compiled::Text(template, text) => {
                Value::String(template.render(context).map_err(|error| failed(text, &error))?)
            }
            Compiled::Expression(expression, text) => {
                let value = expression.eval(context).map_err(|error| failed(text, &error))?;
                to_json(&value, text)?
            }
            Compiled::List(items) => {
                let items = items.iter().map(|item| item.render(context));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Compiled::Map(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, item)| Ok(((*name).to_owned(), item.render(context)?)));
                Value::Object(fields.collect::<Result<Map<_, _>, TemplateError>>()?)
            }
        })
    }
}

fn to_json(value: &Dynamic, text: &str) -> Result<Value, TemplateError> {
    let failed = |reason: String| TemplateError { template: text.to_owned(), reason };
    if value.is_undefined() {
        return Err(failed("the value is undefined".to_owned()));
    }
    serde_json::to_value(value).map_err(|error| failed(error.to_string()))
}

fn failed(text: &str, error: &Error) -> TemplateError {
    let reason = match error.kind() {
        ErrorKind::UndefinedError => "a name in it is undefined".to_owned(),
        _ => error.detail().map_or_else(|| error.kind().to_string(), str::to_owned),
    };
    TemplateError { template: text.to_owned(), reason }
}

/// JSON as the engine sees it.
pub fn dynamic(value: &Value) -> Dynamic {
    Dynamic::from(Serde(value))
}

/// The task's context with `record` added.
pub fn with_record(base: &Dynamic, record: &Value) -> Dynamic {
    let record = dynamic(record);
    context! { record => record, ..base.clone() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendered(template: Value, record: Value) -> Result<Value, TemplateError> {
        let base = dynamic(&json!({"params": {"n": 3}, "ds": "2026-01-01"}));
        Templates::for_checks().render(&template, &with_record(&base, &record))
    }

    #[test]
    fn a_single_expression_keeps_its_type_and_text_becomes_text() {
        let record = json!({"postcode": 1234, "name": {"first": "Ada"}, "ok": true, "none": null});
        for (template, value) in [
            (json!("{{ record.postcode }}"), json!(1234)),
            (json!("{{record.ok}}"), json!(true)),
            (json!("{{ record.none }}"), json!(null)),
            (json!("{{ record.name }}"), json!({"first": "Ada"})),
            (json!("{{ record.postcode }} {{ record.name.first }}"), json!("1234 Ada")),
            (json!("{{ record.postcode ~ '' }}"), json!("1234")),
            (json!("plain"), json!("plain")),
            (json!({"a": ["{{ params.n + 1 }}", 7]}), json!({"a": [4, 7]})),
            (json!("{{ record.name | tojson }}"), json!("{\"first\":\"Ada\"}")),
        ] {
            assert_eq!(rendered(template.clone(), record.clone()), Ok(value), "{template}");
        }
        let text = json!({"postcode": "CV1 2AB"});
        assert_eq!(rendered(json!("{{ record.postcode }}"), text), Ok(json!("CV1 2AB")));
    }

    #[test]
    fn a_missing_field_is_an_error_that_names_the_template() {
        for template in ["{{ record.location.city }}", "in {{ record.location }}", "{{ record.x }}"]
        {
            let error = rendered(json!(template), json!({})).unwrap_err().to_string();
            assert!(error.contains(template) && error.contains("undefined"), "{error}");
        }
    }

    #[test]
    fn a_bad_template_is_found_before_it_runs() {
        let templates = Templates::for_checks();
        for (template, scope, part) in [
            ("{{ ds", Scope::Task, "template"),
            ("{{ recrod.id }}", Scope::Record, "recrod is unknown"),
            ("{{ record.id }}", Scope::Task, "key and value only"),
            ("{{ ds | nosuch }}", Scope::Task, ""),
        ] {
            let error = templates.check(&json!({"a": [template]}), scope);
            match error {
                Err(error) => assert!(error.contains(part), "{error}"),
                // Unknown filters show when the template runs.
                Ok(()) => assert!(part.is_empty(), "{template}"),
            }
        }
        let good = json!("{{ ds }}/{{ params.a.b }}/{% for x in range(3) %}{{ x }}{% endfor %}");
        assert_eq!(templates.check(&good, Scope::Task), Ok(()));
    }
}

//! What a request is refused with: Schema Registry's codes and messages.

use crate::config::Profile;

/// Why a request is refused. Variants differ by what the client does next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Nothing is registered under the subject.
    #[error("Subject '{0}' not found.")]
    SubjectNotFound(String),
    /// The subject has no such version.
    #[error("Version {0} not found.")]
    VersionNotFound(i32),
    /// No schema has this id or guid.
    #[error("Schema {0} not found")]
    SchemaNotFound(String),
    /// The subject has no such schema.
    #[error("Schema not found")]
    SchemaNotInSubject,
    /// The subject is soft-deleted already.
    #[error("Subject '{0}' was soft deleted.Set permanent=true to delete permanently")]
    SubjectSoftDeleted(String),
    /// A permanent deletion comes after a soft one.
    #[error("Subject '{0}' was not deleted first before being permanently deleted")]
    SubjectNotSoftDeleted(String),
    /// The version is soft-deleted already.
    #[error(
        "Subject '{subject}' Version {version} was soft deleted.Set permanent=true to delete permanently"
    )]
    VersionSoftDeleted {
        /// Where.
        subject: String,
        /// Which.
        version: i32,
    },
    /// A permanent deletion comes after a soft one.
    #[error(
        "Subject '{subject}' Version {version} was not deleted first before being permanently deleted"
    )]
    VersionNotSoftDeleted {
        /// Where.
        subject: String,
        /// Which.
        version: i32,
    },
    /// The subject has no configuration of its own.
    #[error("Subject '{0}' does not have subject-level compatibility configured")]
    NoSubjectConfig(String),
    /// The subject has no mode of its own.
    #[error("Subject '{0}' does not have subject-level mode configured")]
    NoSubjectMode(String),
    /// The schema breaks the compatibility level.
    #[error(
        "Schema being registered is incompatible with an earlier schema for subject \"{subject}\", \
         details: [{}]", .messages.join(", ")
    )]
    Incompatible {
        /// Where.
        subject: String,
        /// What the level has against it.
        messages: Vec<String>,
    },
    /// It is no schema.
    #[error("{0}")]
    InvalidSchema(String),
    /// It is no version.
    #[error(
        "The specified version '{0}' is not a valid version id. Allowed values are between [1, 2^31-1] \
         and the string \"latest\""
    )]
    InvalidVersion(String),
    /// It is no compatibility level.
    #[error(
        "Invalid compatibility level. Valid values are none, backward, forward, full, \
         backward_transitive, forward_transitive, and full_transitive"
    )]
    InvalidLevel,
    /// It is no mode.
    #[error("{0}")]
    InvalidMode(&'static str),
    /// The mode forbids it, or this registry cannot do it.
    #[error("{0}")]
    NotPermitted(String),
    /// Other schemas build on it.
    #[error(
        "One or more references exist to the schema \
         {{magic=1,keytype=SCHEMA,subject={subject},version={version}}}."
    )]
    ReferenceExists {
        /// Where.
        subject: String,
        /// Which.
        version: i32,
    },
    /// It is no name of a subject.
    #[error("The specified subject '{0}' is not a valid.")]
    InvalidSubject(String),
    /// The schema does not fit a record.
    #[error("Register operation failed because schema is too large")]
    SchemaTooLarge,
    /// The rules are no rules.
    #[error("{0}")]
    InvalidRuleSet(String),
    /// The context has subjects.
    #[error("The specified context '{0}' is not empty.")]
    ContextNotEmpty(String),
    /// The topic could not be written or read; the request may be repeated.
    #[error("{0}")]
    Store(String),
    /// It took too long; whether it was done is not known.
    #[error("{0}")]
    Timeout(String),
    /// The request is no HTTP request for a registry: a status with its own words.
    #[error("{message}")]
    Http {
        /// The HTTP status.
        status: u16,
        /// What is wrong.
        message: String,
    },
}

/// The code in the body of a refusal as old versions give it.
const INCOMPATIBLE_7: u32 = 409;

impl RegistryError {
    /// An error of HTTP itself.
    pub(crate) fn http(status: u16, message: impl Into<String>) -> RegistryError {
        RegistryError::Http { status, message: message.into() }
    }

    /// No such path, or a parameter that is no number.
    pub(crate) fn no_such_path() -> RegistryError {
        RegistryError::http(404, "HTTP 404 Not Found")
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            RegistryError::SubjectNotFound(_)
            | RegistryError::VersionNotFound(_)
            | RegistryError::SchemaNotFound(_)
            | RegistryError::SchemaNotInSubject
            | RegistryError::SubjectSoftDeleted(_)
            | RegistryError::SubjectNotSoftDeleted(_)
            | RegistryError::VersionSoftDeleted { .. }
            | RegistryError::VersionNotSoftDeleted { .. }
            | RegistryError::NoSubjectConfig(_)
            | RegistryError::NoSubjectMode(_) => 404,
            RegistryError::Incompatible { .. } => 409,
            RegistryError::InvalidSchema(_)
            | RegistryError::InvalidVersion(_)
            | RegistryError::InvalidLevel
            | RegistryError::InvalidMode(_)
            | RegistryError::NotPermitted(_)
            | RegistryError::ReferenceExists { .. }
            | RegistryError::InvalidSubject(_)
            | RegistryError::SchemaTooLarge
            | RegistryError::InvalidRuleSet(_)
            | RegistryError::ContextNotEmpty(_) => 422,
            RegistryError::Store(_) | RegistryError::Timeout(_) => 500,
            RegistryError::Http { status, .. } => *status,
        }
    }

    /// The code in the body.
    pub fn code(&self, profile: Profile) -> u32 {
        match self {
            RegistryError::SubjectNotFound(_) => 40401,
            RegistryError::VersionNotFound(_) => 40402,
            RegistryError::SchemaNotFound(_) | RegistryError::SchemaNotInSubject => 40403,
            RegistryError::SubjectSoftDeleted(_) => 40404,
            RegistryError::SubjectNotSoftDeleted(_) => 40405,
            RegistryError::VersionSoftDeleted { .. } => 40406,
            RegistryError::VersionNotSoftDeleted { .. } => 40407,
            RegistryError::NoSubjectConfig(_) => 40408,
            RegistryError::NoSubjectMode(_) => 40409,
            RegistryError::Incompatible { .. } => match profile {
                Profile::V7 => INCOMPATIBLE_7,
                Profile::V8 => 40901,
            },
            RegistryError::InvalidSchema(_) => 42201,
            RegistryError::InvalidVersion(_) => 42202,
            RegistryError::InvalidLevel => 42203,
            RegistryError::InvalidMode(_) => 42204,
            RegistryError::NotPermitted(_) => 42205,
            RegistryError::ReferenceExists { .. } => 42206,
            RegistryError::InvalidSubject(_) => 42208,
            RegistryError::SchemaTooLarge => 42209,
            RegistryError::InvalidRuleSet(_) => 42210,
            RegistryError::ContextNotEmpty(_) => 42211,
            RegistryError::Store(_) => 50001,
            RegistryError::Timeout(_) => 50002,
            RegistryError::Http { status, .. } => u32::from(*status),
        }
    }
}

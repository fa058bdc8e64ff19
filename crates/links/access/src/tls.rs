//! The client's side of TLS, from PEM files.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore};
use rustls::{SignatureScheme, server::VerifierBuilderError};
use rustls_platform_verifier::Verifier;

/// The files that make up one side of a TLS connection, in PEM.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsFiles {
    /// Who may sign the other side's certificate; whom the system trusts, if it is not said.
    pub ca: Option<PathBuf>,
    /// Our own certificate with its chain, for those who ask for one.
    pub certificate: Option<PathBuf>,
    /// The key of `certificate`.
    pub key: Option<PathBuf>,
    /// A certificate is taken whatever name is in it. Its signature is checked all the same.
    pub any_name: bool,
}

/// Why files make no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is not there, or not PEM, or holds something else.
    #[error("{path} holds no {what}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Certificate and key belong together.
    #[error("a certificate needs its key and a key its certificate: only one of them is named")]
    Half,
    /// The parts do not fit.
    #[error("{0}")]
    Unusable(String),
}

/// How the other side is checked and what is shown to it. Cheap to clone.
#[derive(Clone)]
pub struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Reads the files.
    pub fn from_files(files: &TlsFiles) -> Result<Tls, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = verifier(files, &provider)?;
        let unusable = |error: rustls::Error| TlsError::Unusable(error.to_string());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let config = match (&files.certificate, &files.key) {
            (None, None) => builder.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let chain = certificates(certificate)?;
                let key = PrivateKeyDer::from_pem_file(key)
                    .map_err(|error| unreadable(key, "private key", &error))?;
                builder.with_client_auth_cert(chain, key).map_err(unusable)?
            }
            _ => return Err(TlsError::Half),
        };
        Ok(Tls(Arc::new(config)))
    }

    /// What a connection is made with.
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

/// The same only if made by the same call: what is in it is not compared.
impl PartialEq for Tls {
    fn eq(&self, other: &Tls) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Tls {}

fn verifier(
    files: &TlsFiles,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    let unusable = |error: rustls::Error| TlsError::Unusable(error.to_string());
    let checks: Arc<dyn ServerCertVerifier> = match &files.ca {
        None => Arc::new(Verifier::new(Arc::clone(provider)).map_err(unusable)?),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(unusable)?;
            }
            let builder =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
            builder.build().map_err(|error: VerifierBuilderError| TlsError::File {
                path: path.clone(),
                what: "certificate",
                reason: error.to_string(),
            })?
        }
    };
    Ok(if files.any_name { Arc::new(AnyName(checks)) } else { checks })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| unreadable(path, "certificate", &error))?;
    if found.is_empty() {
        return Err(unreadable(path, "certificate", &pem::Error::NoItemsFound));
    }
    Ok(found)
}

fn unreadable(path: &Path, what: &'static str, error: &pem::Error) -> TlsError {
    let reason = match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => "none found in PEM".to_owned(),
        other => other.to_string(),
    };
    TlsError::File { path: path.to_owned(), what, reason }
}

/// Takes a certificate whatever name is in it. Chain, dates and signatures are checked as ever:
/// the name is what is looked at last.
#[derive(Debug)]
struct AnyName(Arc<dyn ServerCertVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let checked =
            self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match checked {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_missing_or_holds_something_else_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let files = TlsFiles { ca: Some(path.clone()), ..TlsFiles::default() };
        let missing = Tls::from_files(&files).unwrap_err().to_string();
        assert!(missing.contains("ca.pem holds no certificate: No such file"), "{missing}");
        std::fs::write(&path, "-----BEGIN NOTHING-----\n").unwrap();
        assert!(Tls::from_files(&files).is_err());
        std::fs::write(&path, "").unwrap();
        let empty = Tls::from_files(&files).unwrap_err().to_string();
        assert!(empty.contains("none found"), "{empty}");
    }

    #[test]
    fn a_certificate_without_its_key_is_refused() {
        let files = TlsFiles { certificate: Some("client.pem".into()), ..TlsFiles::default() };
        assert!(matches!(Tls::from_files(&files), Err(TlsError::Half)));
    }
}

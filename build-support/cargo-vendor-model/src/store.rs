//! An object store by its address, and where what is in it can be read from.

use std::env;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, ObjectStoreScheme, RetryConfig, WriteMultipart};
use url::Url;

use crate::failure::Failure;

/// What is larger is uploaded in parts.
const SINGLE: usize = 32 << 20;

#[derive(Clone)]
pub struct Store {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// Where HTTP or the disk has it, with a slash at its end.
    pub readable_at: String,
    shown: String,
}

impl Store {
    /// By the variables that the clouds' own tools read.
    pub fn open(address: &str) -> Result<Store, Failure> {
        let unreadable = |why: &dyn std::fmt::Display| {
            Failure::usage("cannot read the address of the store")
                .fact(
                    "expected",
                    "s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX or file:///DIR",
                )
                .fact("found", format!("{address:?} ({why})"))
        };
        let url = Url::parse(address).map_err(|error| unreadable(&error))?;
        let (scheme, prefix) =
            ObjectStoreScheme::parse(&url).map_err(|error| unreadable(&error))?;
        // TLS of what asks the clouds; of two calls the first counts.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (bucket, retry) = (url.host_str().unwrap_or_default().to_owned(), retry());
        let (store, base): (object_store::Result<Arc<dyn ObjectStore>>, String) = match scheme {
            ObjectStoreScheme::Local => {
                (Ok(Arc::new(LocalFileSystem::new())), "file://".to_owned())
            }
            ObjectStoreScheme::AmazonS3 => {
                let builder = AmazonS3Builder::from_env().with_url(address).with_retry(retry);
                (builder.build().map(|store| Arc::new(store) as _), s3_address(&bucket))
            }
            ObjectStoreScheme::GoogleCloudStorage => {
                let builder = GoogleCloudStorageBuilder::from_env().with_url(address);
                let store = builder.with_retry(retry).build().map(|store| Arc::new(store) as _);
                (store, format!("https://storage.googleapis.com/{bucket}"))
            }
            ObjectStoreScheme::MicrosoftAzure => {
                let builder = MicrosoftAzureBuilder::from_env().with_url(address);
                let store = builder.with_retry(retry).build().map(|store| Arc::new(store) as _);
                (store, azure_address(&bucket))
            }
            other => return Err(unreadable(&format!("{other:?} stores are not supported"))),
        };
        let store = store
            .map_err(|error| Failure::new("cannot use the store").fact("found", chain(&error)))?;
        let dir = if prefix.as_ref().is_empty() { String::new() } else { format!("{prefix}/") };
        let readable_at = format!("{base}/{dir}");
        Ok(Store { store, prefix, readable_at, shown: address.trim_end_matches('/').to_owned() })
    }

    /// The text of an object; `None` where there is none.
    pub async fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        let read = async { self.store.get(&self.path(name)?).await?.bytes().await };
        match read.await {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failure("read", name, &error)),
        }
    }

    pub async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), Failure> {
        let write = async {
            let path = self.path(name)?;
            if bytes.len() <= SINGLE {
                return self.store.put(&path, bytes.into()).await.map(drop);
            }
            let mut parts = WriteMultipart::new_with_chunk_size(
                self.store.put_multipart(&path).await?,
                SINGLE / 2,
            );
            for part in bytes.chunks(SINGLE / 2) {
                parts.wait_for_capacity(4).await?;
                parts.write(part);
            }
            parts.finish().await.map(drop)
        };
        write.await.map_err(|error| self.failure("write", name, &error))
    }

    /// Names are those of a vendored directory, and go into the store as they are.
    fn path(&self, name: &str) -> object_store::Result<Path> {
        let prefix = self.prefix.as_ref();
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        Ok(Path::parse(path)?)
    }

    fn failure(&self, act: &str, name: &str, error: &object_store::Error) -> Failure {
        Failure::new(format!("cannot {act} {name:?} in {}", self.shown))
            .fact("found", chain(error))
            .help("see whether the store is there and whose credentials the environment has: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, GOOGLE_APPLICATION_CREDENTIALS, or AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY")
    }
}

/// A person waits: what does not answer is not asked for minutes.
fn retry() -> RetryConfig {
    RetryConfig { max_retries: 3, retry_timeout: Duration::from_secs(60), ..RetryConfig::default() }
}

/// An endpoint of one's own has its buckets in the path; the cloud has them in the name of the host.
fn s3_address(bucket: &str) -> String {
    let variable = |names: &[&str]| names.iter().find_map(|name| env::var(name).ok());
    let endpoint = variable(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]);
    match endpoint.filter(|endpoint| !endpoint.is_empty()) {
        Some(endpoint) => format!("{}/{bucket}", endpoint.trim_end_matches('/')),
        None => {
            let region = variable(&["AWS_REGION", "AWS_DEFAULT_REGION"]);
            let region = region.unwrap_or_else(|| "us-east-1".to_owned());
            format!("https://{bucket}.s3.{region}.amazonaws.com")
        }
    }
}

fn azure_address(container: &str) -> String {
    let account = env::var("AZURE_STORAGE_ACCOUNT_NAME").unwrap_or_else(|_| "ACCOUNT".to_owned());
    format!("https://{account}.blob.core.windows.net/{container}")
}

/// An error with what caused it, where that says more.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text += &format!(": {more}");
        }
        source = error.source();
    }
    text
}

//! `mirror`: a vendored directory in an object store.

use std::path::PathBuf;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::mirroring::mirror;
use crate::talk::Talk;
use crate::words::{count, size};

/// Upload a vendored directory to an object store, from which builds read it
///
/// What the store's own models.lock lists is there already; the rest is checked and uploaded, and the lock last. Prints
/// the value of VENDOR_MODEL_MIRROR with which builds ask the store in the place of the hosts.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo vendor-model mirror vendor-models s3://bucket/models
  cargo vendor-model mirror vendor-models file:///srv/models
  AWS_ENDPOINT_URL=http://127.0.0.1:9000 AWS_ALLOW_HTTP=true \\
    cargo vendor-model mirror vendor-models s3://bucket/models

Credentials and regions are those that the environment names: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION;
GOOGLE_APPLICATION_CREDENTIALS; AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY. Who builds reads over
plain HTTP, so the objects must be readable without them, or by a proxy or a netrc file.")]
pub struct Mirror {
    /// The vendored directory
    dir: PathBuf,

    /// s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX or file:///DIR
    #[arg(value_name = "STORE")]
    store: String,

    /// Tell what would be uploaded, and upload nothing
    #[arg(long)]
    dry_run: bool,

    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

impl Mirror {
    pub fn run(self, talk: &Talk) -> Result<Outcome, Failure> {
        let mirrored = mirror(&self.dir, &self.store, self.dry_run, talk)?;
        let told = format!(
            "{} ({}) to {}; {} there already",
            count(mirrored.uploaded.len() as u64, "file"),
            size(mirrored.uploaded_bytes),
            mirrored.destination,
            mirrored.unchanged
        );
        talk.status(if self.dry_run { "Would upload" } else { "Uploaded" }, &told);
        match self.json {
            true => talk.json(&mirrored),
            false => talk.print(&format!("VENDOR_MODEL_MIRROR='{}'\n", mirrored.rules.join(" "))),
        }
        Ok(Outcome::Well)
    }
}

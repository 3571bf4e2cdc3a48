//! What `--json` says of models, files and runs; the schemas in `schema/` describe it.

use serde::Serialize;
use vendor_model::{LockedFile, LockedModel, Report, VendoredFile};

use crate::lock_file;

/// A pinned model.
#[derive(Debug, Serialize)]
pub struct ModelRecord {
    url: String,
    format: String,
    size: u64,
    files: Vec<FileRecord>,
}

#[derive(Debug, Serialize)]
pub struct FileRecord {
    path: String,
    size: u64,
    sha256: String,
}

/// What a run did.
#[derive(Debug, Serialize)]
pub struct ReportRecord {
    kept: usize,
    restored: usize,
    cached: usize,
    fetched: usize,
    fetched_bytes: u64,
    seconds: f64,
}

impl From<&LockedModel> for ModelRecord {
    fn from(model: &LockedModel) -> ModelRecord {
        ModelRecord {
            url: model.url().to_owned(),
            format: model.format().to_owned(),
            size: lock_file::size(model),
            files: model.files().iter().map(FileRecord::from).collect(),
        }
    }
}

impl From<&LockedFile> for FileRecord {
    fn from(file: &LockedFile) -> FileRecord {
        FileRecord { path: file.path().to_owned(), size: file.size(), sha256: file.sha256() }
    }
}

impl From<&VendoredFile> for FileRecord {
    fn from(file: &VendoredFile) -> FileRecord {
        FileRecord {
            path: file.path().to_owned(),
            size: file.size(),
            sha256: file.sha256().to_owned(),
        }
    }
}

impl From<&Report> for ReportRecord {
    fn from(report: &Report) -> ReportRecord {
        ReportRecord {
            kept: report.kept,
            restored: report.restored,
            cached: report.cached,
            fetched: report.fetched,
            fetched_bytes: report.fetched_bytes,
            seconds: report.elapsed.as_secs_f64(),
        }
    }
}

//! Pinned models as tables.

use vendor_model::LockedModel;

use crate::lock_file;
use crate::table::{Column, table};
use crate::words::{count, size};

/// A line a model, and one that adds them up.
pub fn models(models: &[LockedModel], width: Option<usize>) -> String {
    let row = |model: &LockedModel| {
        vec![
            model.url().to_owned(),
            model.format().to_owned(),
            model.files().len().to_string(),
            size(lock_file::size(model)),
        ]
    };
    let columns = [
        Column::Yields("MODEL"),
        Column::Left("FORMAT"),
        Column::Right("FILES"),
        Column::Right("SIZE"),
    ];
    let whole = models.iter().map(lock_file::size).sum();
    let rows: Vec<Vec<String>> = models.iter().map(row).collect();
    let sum = format!("{}, {}\n", count(models.len() as u64, "model"), size(whole));
    if rows.is_empty() { sum } else { table(&columns, &rows, width) + &sum }
}

/// A line a file, below the model that it is of.
pub fn files(models: &[LockedModel], width: Option<usize>) -> String {
    let columns = [Column::Yields("FILE"), Column::Right("SIZE"), Column::Left("SHA-256")];
    let of_model = |model: &LockedModel| {
        let rows: Vec<Vec<String>> = model
            .files()
            .iter()
            .map(|file| vec![file.path().to_owned(), size(file.size()), file.sha256()])
            .collect();
        let whole = size(lock_file::size(model));
        format!("{}  {}  {whole}\n{}", model.url(), model.format(), table(&columns, &rows, width))
    };
    models.iter().map(of_model).collect::<Vec<_>>().join("\n")
}

//! Numbers as words: sizes, shares and counts.

use vendor_model::Report;

/// `5 bytes`, `94.1 MB`: three digits that count.
pub fn size(bytes: u64) -> String {
    const UNITS: [(&str, f64); 4] = [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    for (name, unit) in UNITS {
        let units = bytes as f64 / unit;
        if units >= 0.9995 {
            let decimals = match units {
                ..9.995 => 2,
                ..99.95 => 1,
                _ => 0,
            };
            return format!("{units:.decimals$} {name}");
        }
    }
    count(bytes, "byte")
}

/// `1 file`, `2 files`
pub fn count(n: u64, thing: &str) -> String {
    format!("{} {thing}{}", thousands(n), if n == 1 { "" } else { "s" })
}

/// `1,234,567`
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12.3%`
pub fn share(part: u64, whole: u64) -> String {
    format!("{:.1}%", part as f64 / whole.max(1) as f64 * 100.0)
}

/// `1 model, 4 files into vendor-models (3 fetched, 1 from the cache)`
pub fn brought(models: usize, place: &str, report: &Report) -> String {
    let files = report.kept + report.restored + report.cached + report.fetched;
    let (models, files) = (count(models as u64, "model"), count(files as u64, "file"));
    format!("{models}, {files} {place} ({})", origins(report))
}

/// `3 fetched, 1 from the cache`
pub fn origins(report: &Report) -> String {
    let origins = [
        (report.kept, "there already"),
        (report.restored, "vendored"),
        (report.cached, "from the cache"),
        (report.fetched, "fetched"),
    ];
    let told = origins.iter().filter(|(n, _)| *n > 0).map(|(n, origin)| format!("{n} {origin}"));
    told.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([size(1), size(999), size(1000)], ["1 byte", "999 bytes", "1.00 kB"]);
        assert_eq!([size(94_100_000), size(999_500)], ["94.1 MB", "1.00 MB"]);
        assert_eq!([thousands(0), thousands(999), thousands(1_234_567)], ["0", "999", "1,234,567"]);
        assert_eq!([share(1, 3), share(0, 0)], ["33.3%", "0.0%"]);
        assert_eq!([count(1, "file"), count(1500, "file")], ["1 file", "1,500 files"]);
    }
}

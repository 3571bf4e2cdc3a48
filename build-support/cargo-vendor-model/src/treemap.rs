//! The weights of models as a page with a treemap: one file that needs nothing but itself.

use crate::anatomy::Anatomy;
use crate::failure::Failure;

const PAGE: &str = include_str!("treemap.html");

/// The place of the data in the page.
const SLOT: &str = "/*MODELS*/[]";

pub fn page(models: &[Anatomy]) -> Result<String, Failure> {
    let data = serde_json::to_string(models)
        .map_err(|error| Failure::new("cannot describe the model").fact("found", error))?;
    // No name of a tensor can end the script, and none is read as anything but text.
    let data = data.replace('<', "\\u003c").replace('\u{2028}', "\\u2028");
    Ok(PAGE.replace(SLOT, &data))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anatomy::{GroupRecord, Tensor};

    #[test]
    fn a_hostile_name_stays_data() {
        let tensor = Tensor {
            name: "</script><script>alert(1)//".to_owned(),
            dtype: "bool",
            shape: vec![],
            parameters: 1,
            quantization: None,
            offset: 0,
            size: 1,
            shards: vec![],
        };
        let group = GroupRecord { size: 1, shards: vec![], tensors: vec![tensor] };
        let model = Anatomy {
            url: "https://h.example/m.json".to_owned(),
            format: "tfjs-weights".to_owned(),
            size: 1,
            weight_size: 1,
            parameters: 1,
            groups: vec![group],
            layers: vec![],
        };
        let page = page(&[model]).unwrap();
        assert!(PAGE.contains(SLOT));
        assert!(page.contains("\\u003c/script>\\u003cscript>alert"));
        assert_eq!(page.matches("</script>").count(), PAGE.matches("</script>").count());
    }

    #[test]
    fn the_page_asks_nothing_of_anybody() {
        for way in ["http:", "https:", "src=", "href=", "@import", "url(", "fetch(", "innerHTML"] {
            assert!(!PAGE.contains(way), "{way}");
        }
    }
}

//! Which model it is that has left a trace. Manifests mostly have one name, and models that were trained again share
//! files: what the copy of one model has a better claim to is no trace of another.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;

use crate::verdict::{Finding, Model, State};

/// What belongs to a copy of a model, by the file that it is in.
#[derive(Default)]
pub struct Claims(HashMap<String, Vec<Claim>>);

struct Claim {
    url: String,
    bytes: Range<u64>,
}

impl Claims {
    /// The copies that there are of all that there may be. The better one goes first, and one that goes later must have
    /// something of its own, or be whole.
    pub fn settle(&mut self, mut possible: Vec<Model>) -> Vec<Model> {
        possible.sort_by_key(|copy| {
            (!copy.is_whole(), Reverse(copy.count(State::Exact)), copy.count(State::Missing))
        });
        possible.retain(|copy| self.is_there(copy) && self.take(copy));
        possible
    }

    /// Whether any of the file belongs to a copy.
    pub fn has(&self, file: &str) -> bool {
        self.0.contains_key(file)
    }

    /// What is there of the copy belongs to it from now on.
    pub fn take(&mut self, copy: &Model) -> bool {
        for (file, bytes) in copy.files.iter().filter_map(span) {
            let claim = Claim { url: copy.url.clone(), bytes };
            self.0.entry(file.to_owned()).or_default().push(claim);
        }
        true
    }

    fn is_there(&self, copy: &Model) -> bool {
        traces(copy).any(|file| {
            let claims = self.on(file);
            claims.is_empty() || copy.is_whole() && claims.iter().all(|claim| claim.url != copy.url)
        })
    }

    fn on(&self, finding: &Finding) -> Vec<&Claim> {
        let Some((file, bytes)) = span(finding) else { return Vec::new() };
        let meets = |claim: &&Claim| claim.bytes.start < bytes.end && bytes.start < claim.bytes.end;
        self.0.get(file).into_iter().flatten().filter(meets).collect()
    }
}

/// The name of a manifest alone says nothing; that most of its bytes are embedded does.
fn traces(copy: &Model) -> impl Iterator<Item = &Finding> {
    let is_alone = copy.files.iter().skip(1).all(|file| span(file).is_none());
    let is_name = move |(at, file): &(usize, &Finding)| {
        is_alone && *at == 0 && file.state != State::Exact && !file.is_embedded()
    };
    let there = copy.files.iter().enumerate().filter(|(_, file)| span(file).is_some());
    there.filter(move |file| !is_name(file)).map(|(_, file)| file)
}

fn span(finding: &Finding) -> Option<(&str, Range<u64>)> {
    let at = finding.at.as_ref().filter(|_| finding.state != State::Missing)?;
    let bytes = at.offset.map_or(0..u64::MAX, |offset| offset..offset + finding.size);
    Some((&at.file, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Place;

    /// A copy whose files have these states, each in the file of its name.
    fn copy(url: &str, files: &[(&str, State)]) -> Model {
        let finding = |(file, state): &(&str, State)| Finding {
            path: (*file).to_owned(),
            size: 100,
            sha256: String::new(),
            state: *state,
            at: Some(Place::file(*file)),
            found: None,
            differs_at: None,
        };
        let files = files.iter().map(finding).collect();
        Model { url: url.to_owned(), found: true, within: Some(String::new()), files }
    }

    fn settled(possible: Vec<Model>) -> Vec<String> {
        Claims::default().settle(possible).into_iter().map(|copy| copy.url).collect()
    }

    #[test]
    fn what_has_nothing_of_its_own_is_not_there() {
        use State::{Different, Exact, Missing};
        let crepe = copy("crepe", &[("model.json", Different), ("a", Different), ("b", Missing)]);
        let digits = copy("digits", &[("model.json", Different), ("a", Exact)]);
        assert_eq!(settled(vec![crepe, digits]), ["digits"]);
        let again = copy("again", &[("model.json", Exact), ("a", Different)]);
        let digits = copy("digits", &[("model.json", Exact), ("a", Exact)]);
        assert_eq!(settled(vec![again, digits]), ["digits"]);
    }

    #[test]
    fn models_that_are_alike_are_both_there_and_one_place_is_one_copy() {
        use State::Exact;
        let whole = |url| copy(url, &[("model.json", Exact), ("a", Exact)]);
        assert_eq!(settled(vec![whole("one"), whole("two"), whole("one")]), ["one", "two"]);
    }

    #[test]
    fn the_name_of_a_manifest_alone_is_no_trace() {
        use State::{Different, Missing, Placeholder};
        let lone = copy("one", &[("model.json", Different), ("a", Missing)]);
        assert!(settled(vec![lone]).is_empty());
        let beside = copy("two", &[("two.json", Different), ("a", State::Exact)]);
        let whole = copy("one", &[("one.json", State::Exact), ("a", State::Exact)]);
        assert_eq!(settled(vec![beside, whole]), ["one", "two"]);
        let empty = copy("one", &[("model.json", Missing), ("a", Placeholder)]);
        assert_eq!(settled(vec![empty]), ["one"]);
    }

    #[test]
    fn what_is_embedded_beside_another_model_is_its_own() {
        let embedded = |url, offset, state| {
            let mut copy = copy(url, &[("app", state)]);
            copy.files[0].at = Some(Place { offset: Some(offset), ..Place::file("app") });
            copy
        };
        let one = || embedded("one", 0, State::Exact);
        assert_eq!(settled(vec![embedded("two", 100, State::Different), one()]), ["one", "two"]);
        assert_eq!(settled(vec![embedded("two", 99, State::Different), one()]), ["one"]);
    }
}

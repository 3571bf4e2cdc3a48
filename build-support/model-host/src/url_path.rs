//! Paths of URLs: as tests give them and as requests carry them.

/// A path given by a test, decoded.
#[track_caller]
pub(crate) fn given(path: &str) -> String {
    assert_absolute(path);
    decoded(path)
}

#[track_caller]
pub(crate) fn assert_absolute(path: &str) {
    assert!(path.starts_with('/'), "a path on a host starts with a slash: {path:?}");
}

/// The path with its percent-escapes decoded; what is no escape stands for itself.
pub(crate) fn decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped =
            tail.get(..2).filter(|_| first == b'%').and_then(|pair| hex::decode(pair).ok());
        bytes.push(escaped.as_ref().map_or(first, |byte| byte[0]));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn escapes_are_decoded_and_what_is_none_stands_for_itself() {
        let cases = [
            ("/a%20b", "/a b"),
            ("/%2e%2E/x", "/../x"),
            ("/100%", "/100%"),
            ("/100%2", "/100%2"),
            ("/%zz%41", "/%zzA"),
            ("/%C3%A9", "/é"),
        ];
        for (path, expected) in cases {
            assert_eq!(decoded(path), expected);
        }
    }
}

//! Which path a request is for, read as a web server reads it.
//!
//! A server decodes `%61`, folds `//` and climbs `..`: were the paywall to compare the raw text, `/x/../articles/1` would be free. So a path is decoded once,
//! and one that servers read in more than one way is refused.

/// Why a path is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("path: expected one that can be read in one way only, without {0}")]
pub struct PathError(pub &'static str);

/// The path, decoded. Parameters after `;`, which some servers drop, are dropped here too.
///
/// # Errors
///
/// When it does not begin with `/`, or has empty or dotted segments, an encoded slash, a backslash, control characters or broken escapes.
pub fn decoded(path: &str) -> Result<Vec<u8>, PathError> {
    let rest = path.strip_prefix('/').ok_or(PathError("anything before the first /"))?;
    let mut out = Vec::with_capacity(path.len());
    let mut segments = rest.split('/').peekable();
    while let Some(segment) = segments.next() {
        let segment = unescape(segment)?;
        // The last one may be empty: `/folder/`.
        if segment.is_empty() && segments.peek().is_some() {
            return Err(PathError("//"));
        }
        let name = segment.split(|b| *b == b';').next().unwrap_or_default();
        if name == b"." || name == b".." {
            return Err(PathError("segments . and .."));
        }
        if name.is_empty() && !segment.is_empty() {
            return Err(PathError("a segment of parameters only"));
        }
        out.push(b'/');
        out.extend_from_slice(name);
    }
    Ok(out)
}

fn unescape(segment: &str) -> Result<Vec<u8>, PathError> {
    let mut out = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(b) = bytes.next() {
        let b = match b {
            b'%' => {
                let mut digit = || bytes.next().and_then(|d| char::from(d).to_digit(16));
                let (high, low) = (digit(), digit());
                let (Some(high), Some(low)) = (high, low) else { return Err(PathError("a broken % escape")) };
                let b = (high << 4 | low) as u8;
                if b == b'/' {
                    return Err(PathError("an encoded slash"));
                }
                b
            }
            b => b,
        };
        if b == b'\\' {
            return Err(PathError("a backslash"));
        }
        if b.is_ascii_control() {
            return Err(PathError("control characters"));
        }
        out.push(b);
    }
    Ok(out)
}

/// Without regard to small and capital letters, of all scripts. Upwards first, as file systems do: `ſ` and `K` (kelvin) are `s` and `k` to them.
pub fn folded(path: &[u8]) -> Vec<u8> {
    let fold = |c: char| c.to_uppercase().flat_map(char::to_lowercase);
    match std::str::from_utf8(path) {
        Ok(text) => text.chars().flat_map(fold).collect::<String>().into_bytes(),
        // No text: only the letters that every encoding has.
        Err(_) => path.to_ascii_lowercase(),
    }
}

/// A pattern: `*` stands for any characters, `/` too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    text: String,
    compared: Vec<u8>,
}

impl Pattern {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// When no path could ever match it: it does not begin with `/`, or has something that [`decoded`] refuses or drops.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.contains(['%', ';', '?', '#']) {
            return Err(PathError("% ; ? #: write it decoded, without a query"));
        }
        decoded(text)?;
        Ok(Self { text: text.to_owned(), compared: text.as_bytes().to_vec() })
    }

    /// For paths that are [`folded`] as well.
    #[must_use]
    pub fn folded(self) -> Self {
        Self { compared: folded(self.text.as_bytes()), ..self }
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True when both stand for the same paths.
    pub fn is_same(&self, other: &Self) -> bool {
        self.compared == other.compared
    }

    /// True for a decoded path that it stands for. A slash at the end makes no difference: `/a` and `/a/` are one page on most servers.
    pub fn matches(&self, path: &[u8]) -> bool {
        let (pattern, bare) = (&self.compared[..], path.strip_suffix(b"/").unwrap_or(path));
        matches(pattern, path) || matches(pattern, bare) || matches(pattern.strip_suffix(b"/").unwrap_or(pattern), bare)
    }
}

fn matches(pattern: &[u8], path: &[u8]) -> bool {
    let mut parts = pattern.split(|b| *b == b'*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else { return false };
    let mut parts: Vec<_> = parts.collect();
    // Without a star the whole of it must be the same.
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        // The first place is as good as any: what comes after it is longest then.
        let at = if part.is_empty() { Some(0) } else { rest.windows(part.len()).position(|w| w == part) };
        let Some(at) = at else { return false };
        rest = rest.get(at.saturating_add(part.len())..).unwrap_or_default();
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hits(pattern: &str, path: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(&decoded(path).unwrap())
    }

    #[test]
    fn patterns_match_what_they_say() {
        for (pattern, path, hit) in [
            ("/articles/*", "/articles/1", true),
            ("/articles/*", "/articles/2026/11/x", true),
            ("/articles/*", "/articles/", true),
            ("/articles/*", "/article", false),
            ("/articles/*", "/x/articles/1", false),
            ("/about", "/about", true),
            ("/about", "/about/", true),
            ("/about/", "/about", true),
            ("/about", "/about2", false),
            ("*.mp3", "/x", false),
            ("/*.mp3", "/a/b.mp3", true),
            ("/*.mp3", "/a/b.mp4", false),
            ("/*/full", "/a/full", true),
            ("/*/full", "/full", false),
            ("/*", "/", true),
            ("/", "/", true),
            ("/", "/x", false),
            ("/a*b*c", "/a-b-b-c", true),
            ("/aa*aa", "/aaa", false),
        ] {
            if pattern.starts_with('/') {
                assert_eq!(hits(pattern, path), hit, "{pattern} {path}");
            } else {
                assert!(Pattern::parse(pattern).is_err());
            }
        }
    }

    #[test]
    fn a_path_written_otherwise_costs_the_same() {
        for path in ["/articles/1", "/%61rticles/1", "/articles/%31", "/articles;x=1/1", "/articles/1;jsessionid=2", "/articles/%E2%82%AC"] {
            assert!(hits("/articles/*", path), "{path}");
        }
    }

    #[test]
    fn folded_paths_are_one_whatever_their_letters() {
        for (pattern, path) in [
            ("/articles/*", "/Articles/1"),
            ("/ARTICLES/*", "/articles/1"),
            ("/*.MP3", "/a/b.mp3"),
            ("/straße", "/STRASSE"),
            ("/kiosk", "/\u{212a}IO\u{17f}K"),
            ("/ÄRGER/*", "/%C3%A4rger/x"),
            ("/Σίσυφος", "/ΣΊΣΥΦΟΣ"),
        ] {
            let (pattern, path) = (Pattern::parse(pattern).unwrap(), decoded(path).unwrap());
            assert!(pattern.clone().folded().matches(&folded(&path)) && !pattern.matches(&path), "{pattern:?}");
        }
        // No text at all, as some servers take it.
        let pattern = Pattern::parse("/articles/*").unwrap().folded();
        assert!(pattern.matches(&folded(&decoded("/ARTICLES/%ff").unwrap())));
    }

    #[test]
    fn what_servers_read_in_two_ways_is_refused() {
        for path in [
            "",
            "articles/1",
            "//articles/1",
            "/x//articles/1",
            "/x/../articles/1",
            "/./articles/1",
            "/x/%2e%2e/articles/1",
            "/x/..;/articles/1",
            "/;/articles/1",
            "/x%2F..%2Farticles/1",
            "/articles%2f1",
            "/articles%5c1",
            "/articles\\1",
            "/articles/%00",
            "/articles/%0a",
            "/articles/%",
            "/articles/%4",
            "/articles/%zz",
        ] {
            assert!(decoded(path).is_err(), "{path}");
        }
    }

    proptest! {
        #[test]
        fn a_decoded_path_has_no_dots_no_double_slash_and_decodes_to_itself(path in "/[a-z./%;0-9e]{0,20}") {
            if let Ok(read) = decoded(&path) {
                prop_assert!(read.starts_with(b"/") && !read.windows(2).any(|w| w == b"//"));
                prop_assert!(read.split(|b| *b == b'/').all(|s| s != b"." && s != b".."));
            }
        }

        #[test]
        fn a_star_stands_for_anything(left in "[a-z/]{0,8}", middle in "[a-z/]{0,8}", right in "[a-z/]{0,8}") {
            let (pattern, path) = (format!("/{left}*{right}"), format!("/{left}{middle}{right}"));
            prop_assert!(matches(pattern.as_bytes(), path.as_bytes()));
        }
    }
}

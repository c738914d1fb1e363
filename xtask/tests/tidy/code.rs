//! Rust source without its comments and literals: enough to look for words that mean something.

/// The source with every comment, string and character replaced by blanks, line by line as it was.
pub(crate) fn code(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let skipped = skipped(bytes, at);
        for byte in &mut code[at..at + skipped] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at += skipped.max(word_length(bytes, at)).max(1);
    }
    String::from_utf8_lossy(&code).into_owned()
}

/// Where each whole word `word` stands in `code`.
pub(crate) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = code.as_bytes();
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let end = bytes.get(at + word.len());
        !at.checked_sub(1).is_some_and(|before| is_word(bytes[before]))
            && !end.is_some_and(|byte| is_word(*byte))
    })
}

/// The number of the line that holds byte `at`.
pub(crate) fn line(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
}

pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// How much of a comment or literal begins here; nothing if none does.
fn skipped(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    match rest[0] {
        b'/' if rest.starts_with(b"//") => rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
        b'/' if rest.starts_with(b"/*") => block_comment(rest),
        b'"' => string(rest),
        b'\'' => character(rest),
        b'r' | b'b' | b'c' => raw_string(rest).unwrap_or(0),
        _ => 0,
    }
}

/// Words are taken whole, so that none of them ends in what looks like the `r` of a raw string.
fn word_length(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().take_while(|byte| is_word(**byte)).count()
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != b'"' {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// A character, or nothing where the quote begins a lifetime.
fn character(rest: &[u8]) -> usize {
    let text = std::str::from_utf8(rest).unwrap_or_default();
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((after, _))) => {
            rest[after + 1..].iter().position(|byte| *byte == b'\'').map_or(0, |end| after + end + 2)
        }
        (Some(_), Some((end, '\''))) => end + 1,
        _ => 0,
    }
}

fn raw_string(rest: &[u8]) -> Option<usize> {
    let start = rest.iter().position(|byte| !b"rbc".contains(byte)).filter(|start| *start <= 2)?;
    if !rest[..start].contains(&b'r') {
        return None;
    }
    let hashes = rest[start..].iter().take_while(|byte| **byte == b'#').count();
    let body = start + hashes + 1;
    if rest.get(body - 1) != Some(&b'"') {
        return None;
    }
    let end: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let length = rest[body..].windows(end.len()).position(|window| window == end)?;
    Some(body + length + end.len())
}

#[test]
fn comments_and_literals_vanish() {
    let source = "a /* b /* c */ d */ e // f\n\"g \\\" h\" i r#\"j \" k\"# 'l' '\\'' m<'n> b\"o\" for\"p\" '\\u{71}' q";
    let code = code(source);
    assert_eq!(code.len(), source.len());
    assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "e", "i", "m<'n>", "b", "for", "q"]);
    assert_eq!(code.lines().count(), 2);
}

#[test]
fn words_are_whole() {
    assert_eq!(words("unsafe_code unsafe(x) not_unsafe unsafe", "unsafe").count(), 2);
}

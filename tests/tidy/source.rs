//! Reads Rust source as far as the house rules need: without comments, literals and tests; as paths.
//!
//! Not a parser: it knows `use` trees, `crate`, `self`, `super` and renames. What a macro writes it cannot see.

use std::collections::BTreeMap;

/// A path that a file mentions, from the crate's root or from another crate.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Mention {
    /// `["crate", "money", "Money"]` or `["tokio", "sync"]`.
    pub(crate) path: Vec<String>,
    /// Counted from one.
    pub(crate) line: usize,
}

/// `text` with comments and the insides of literals blanked. Lines stay where they are.
pub(crate) fn code_only(text: &str) -> String {
    let bytes: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_or_comment_end(&bytes, at);
        if end > at {
            out.extend(bytes[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    out
}

/// Where a comment or literal that begins at `at` ends; `at` itself if none begins there.
fn literal_or_comment_end(c: &[char], at: usize) -> usize {
    let next = c.get(at + 1).copied().unwrap_or(' ');
    let after_word = at > 0 && is_word(c[at - 1]);
    match c[at] {
        '/' if next == '/' => (at..c.len()).find(|i| c[*i] == '\n').unwrap_or(c.len()),
        '/' if next == '*' => {
            let (mut depth, mut i) = (1, at + 2);
            while i < c.len() && depth > 0 {
                match (c[i], c.get(i + 1)) {
                    ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
                    ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
                    _ => i += 1,
                }
            }
            i
        }
        '"' => string_end(c, at + 1),
        'r' | 'b' | 'c' if !after_word => prefixed_string_end(c, at),
        '\'' if next == '\\' => {
            (at + 3..c.len()).find(|i| c[*i] == '\'').map_or(c.len(), |closing| closing + 1)
        }
        '\'' if c.get(at + 2) == Some(&'\'') => at + 3,
        _ => at,
    }
}

fn string_end(c: &[char], mut i: usize) -> usize {
    while i < c.len() {
        match c[i] {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    c.len()
}

/// `r"…"`, `r#"…"#`, `b"…"`, `br"…"`, `c"…"`; `at` itself for a name that begins with such a letter.
fn prefixed_string_end(c: &[char], at: usize) -> usize {
    let letters = c[at..].iter().take(2).take_while(|l| matches!(l, 'r' | 'b' | 'c')).count();
    let raw = c[at..at + letters].contains(&'r');
    let hashes = c[at + letters..].iter().take_while(|h| **h == '#').count();
    let quote = at + letters + hashes;
    if c.get(quote) != Some(&'"') || (hashes > 0 && !raw) {
        return at;
    }
    if !raw {
        return string_end(c, quote + 1);
    }
    let closes =
        |i: usize| c[i] == '"' && c[i + 1..].iter().take(hashes).filter(|h| **h == '#').count() == hashes;
    (quote + 1..c.len()).find(|i| closes(*i)).map_or(c.len(), |i| i + 1 + hashes)
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// `code` with every item under `#[cfg(test)]` blanked, and the names of modules that are only for tests.
pub(crate) fn without_tests(code: &str) -> (String, Vec<String>) {
    const MARK: &str = "#[cfg(test)]";
    let mut out = code.to_owned();
    let mut modules = Vec::new();
    while let Some(start) = out.find(MARK) {
        let end = item_end(&out, start + MARK.len());
        let item = &out[start + MARK.len()..end];
        if let Some(name) =
            item.trim_start().strip_prefix("mod ").and_then(|rest| rest.trim().strip_suffix(';'))
        {
            modules.push(name.trim().to_owned());
        }
        let blank: String = out[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(start..end, &blank);
    }
    (out, modules)
}

/// The end of the item at `from`: its `;`, or the brace that closes its body.
fn item_end(code: &str, from: usize) -> usize {
    let is_use = code[from..].trim_start().starts_with("use ");
    let mut depth = 0_usize;
    for (i, c) in code[from..].char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 && c == '}' && !is_use {
                    return from + i + 1;
                }
            }
            ';' if depth == 0 => return from + i + 1,
            _ => {}
        }
    }
    code.len()
}

/// The module of a file under `src/`: `src/till/start.rs` is `["till", "start"]`, the crate's root is `[]`.
pub(crate) fn module_of(path_in_src: &str) -> Vec<String> {
    let stem = path_in_src.strip_suffix(".rs").unwrap_or(path_in_src);
    match stem {
        "lib" | "main" => Vec::new(),
        _ => stem.split('/').map(str::to_owned).collect(),
    }
}

/// Every path in `code` (already without comments) of the module `module`, with names from `use` resolved.
pub(crate) fn mentions(code: &str, module: &[String]) -> Vec<Mention> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut at = 0;
    while at < tokens.len() {
        let before = at.checked_sub(1).map(|i| tokens[i].0);
        match tokens[at].0 {
            "use" => {
                let mut leaves = Vec::new();
                at = use_tree(&tokens, at + 1, &[], &mut leaves);
                for (path, name, line) in leaves {
                    let path = absolute(path, module);
                    names.insert(name, path.clone());
                    found.push(Mention { path, line });
                }
            }
            word if is_name(word) && !matches!(before, Some("." | "$")) => {
                let rooted = before == Some("::") && at >= 2 && !continues(tokens[at - 2].0);
                if before == Some("::") && !rooted {
                    at += 1;
                    continue;
                }
                let line = tokens[at].1;
                let mut path = vec![word.to_owned()];
                while tokens.get(at + 1).is_some_and(|t| t.0 == "::")
                    && tokens.get(at + 2).is_some_and(|t| is_name(t.0))
                {
                    path.push(tokens[at + 2].0.to_owned());
                    at += 2;
                }
                if path.len() > 1 {
                    found.push(Mention { path, line });
                }
                at += 1;
            }
            _ => at += 1,
        }
    }
    for mention in &mut found {
        if let Some(meant) = names.get(&mention.path[0]) {
            let rest = mention.path.split_off(1);
            mention.path.clone_from(meant);
            mention.path.extend(rest);
        } else {
            mention.path = absolute(std::mem::take(&mut mention.path), module);
        }
    }
    found
}

/// A use tree from `at` on, as leaves with the name each brings in; returns where it ends.
fn use_tree(
    tokens: &[(&str, usize)],
    mut at: usize,
    prefix: &[String],
    leaves: &mut Vec<(Vec<String>, String, usize)>,
) -> usize {
    let mut path = prefix.to_vec();
    while let Some((token, line)) = tokens.get(at).copied() {
        match token {
            "::" => at += 1,
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|t| t.0 != "}") {
                    at = use_tree(tokens, at, &path, leaves);
                    if tokens.get(at).is_some_and(|t| t.0 == ",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            "self" if !path.is_empty() => at += 1,
            "as" => {
                let name = tokens.get(at + 1).map_or("_", |t| t.0);
                leaves.push((path, name.to_owned(), line));
                return at + 2;
            }
            word if is_name(word) => {
                path.push(word.to_owned());
                at += 1;
            }
            "*" => at += 1,
            _ => break,
        }
    }
    if let (Some(name), Some((_, line))) = (path.last().cloned(), tokens.get(at.saturating_sub(1))) {
        leaves.push((path, name, *line));
    }
    at
}

/// A path from the crate's root where it begins with `crate`, `self` or `super`; else as it is.
fn absolute(path: Vec<String>, module: &[String]) -> Vec<String> {
    let mut here = module.to_vec();
    let mut rest = path.as_slice();
    match rest.first().map(String::as_str) {
        Some("self") => rest = &rest[1..],
        Some("super") => {
            while rest.first().is_some_and(|segment| segment == "super") {
                here.pop();
                rest = &rest[1..];
            }
        }
        // The program names its own library.
        Some("till") if module.is_empty() => (here, rest) = (Vec::new(), &rest[1..]),
        _ => return path,
    }
    let mut whole = vec!["crate".to_owned()];
    whole.extend(here);
    whole.extend_from_slice(rest);
    whole
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c == '_' || c.is_alphabetic())
}

/// Whether a `::` after this token goes on with a path rather than beginning one.
fn continues(token: &str) -> bool {
    is_name(token) && !matches!(token, "use" | "return" | "in" | "as" | "impl" | "dyn" | "for")
        || token == ">"
}

/// Words, `::` and single marks, each with its line.
fn tokens(code: &str) -> Vec<(&str, usize)> {
    let mut tokens = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if is_word(first) {
                rest.find(|c| !is_word(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            tokens.push((&rest[..length], number + 1));
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(code: &str, module: &str) -> Vec<String> {
        let mut paths: Vec<_> =
            mentions(&code_only(code), &module_of(module)).into_iter().map(|m| m.path.join("::")).collect();
        paths.dedup();
        paths
    }

    #[test]
    fn comments_and_literals_name_nothing() {
        let code = "// crate::a\n/* crate::b /* crate::c */ */ let s = \"crate::d \\\" crate::e\"; r#\"crate::\"f\"#; b'\\''; '\"'; x";
        assert_eq!(paths(code, "sale.rs"), Vec::<String>::new());
        let line = code_only("a 'x' b\"y\" fn f<'a>(r: &'a str) {}");
        assert!(line.contains("fn f<'a>(r: &'a str) {}"), "{line}");
    }

    #[test]
    fn trees_and_renames_are_followed() {
        let code = "use crate::{money::{self, Money}, tax as t};\nuse tokio::sync::*; t::split(); money::x; Money::new();";
        let expected = [
            "crate::money",
            "crate::money::Money",
            "crate::tax",
            "tokio::sync",
            "crate::tax::split",
            "crate::money::x",
            "crate::money::Money::new",
        ];
        assert_eq!(paths(code, "sale.rs"), expected);
    }

    #[test]
    fn supers_are_counted_from_the_file() {
        assert_eq!(
            paths("use super::super::journal::Journal;", "sale/quote.rs"),
            ["crate::journal::Journal"]
        );
        assert_eq!(paths("super::journal::open();", "sale.rs"), ["crate::journal::open"]);
        assert_eq!(paths("super::journal::open();", "sale/quote.rs"), ["crate::sale::journal::open"]);
        assert_eq!(paths("fn main() { till::cli::main() }", "main.rs"), ["crate::cli::main"]);
    }

    #[test]
    fn a_path_from_the_outermost_root_is_seen_and_a_method_is_not() {
        assert_eq!(paths("let x = ::tokio::spawn(y); a.tokio::<u8>();", "sale.rs"), ["tokio::spawn"]);
        assert_eq!(paths("Vec::<tokio::net::Socket>::new()", "sale.rs"), ["tokio::net::Socket"]);
    }

    #[test]
    fn tests_are_left_out_and_nothing_else() {
        let code = "#[cfg(test)]\nuse a::{b};\nuse c::d;\n#[cfg(test)]\nmod golden;\nfn f() {}\n#[cfg(test)]\nmod tests { fn g() { h } }\nlast";
        let (rest, modules) = without_tests(code);
        assert_eq!(rest.split_whitespace().collect::<Vec<_>>(), ["use", "c::d;", "fn", "f()", "{}", "last"]);
        assert_eq!(modules, ["golden"]);
        assert_eq!(rest.lines().count(), code.lines().count());
    }
}

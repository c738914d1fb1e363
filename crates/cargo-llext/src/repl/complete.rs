//! What a word at the prompt may become: a command, an extension, a function, an option, a path.

use super::command::definition;

/// What may stand where the cursor is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Completion {
    /// One of these words, from this place of the line on.
    Words(usize, Vec<String>),
    /// A path.
    Path,
}

/// A live extension: its name, and the names of what it exports.
pub(super) type Live = (String, Vec<String>);

/// What the line may become, up to the cursor. The definition of the commands says what stands where.
pub(super) fn complete(line: &str, live: &[Live]) -> Completion {
    let (before, start) = words_before(line);
    let word = &line[start..];
    match candidates(&before, word, live) {
        Some(words) => Completion::Words(start, matching(words, word)),
        None => Completion::Path,
    }
}

/// The words that are complete, quotes and all, and where the last one begins.
fn words_before(line: &str) -> (Vec<&str>, usize) {
    let (mut words, mut start, mut quote, mut is_escaped) = (Vec::new(), 0, None, false);
    for (at, c) in line.char_indices() {
        match (quote, c) {
            _ if is_escaped => is_escaped = false,
            (None | Some('"'), '\\') => is_escaped = true,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, ' ' | '\t') => {
                words.push(&line[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    words.retain(|word| !word.is_empty());
    (words, start)
}

fn matching(mut words: Vec<String>, begin: &str) -> Vec<String> {
    words.retain(|word| word.starts_with(begin));
    words.sort();
    words
}

/// The words that may follow `before`; none where a path belongs.
fn candidates(before: &[&str], word: &str, live: &[Live]) -> Option<Vec<String>> {
    let definition = definition();
    let Some((first, rest)) = before.split_first() else { return Some(commands(&definition)) };
    if *first == "help" {
        return Some(if rest.is_empty() { commands(&definition) } else { Vec::new() });
    }
    let Some(command) = definition.find_subcommand(first) else { return Some(Vec::new()) };
    if word.starts_with('-') {
        let options = command.get_arguments().filter_map(clap::Arg::get_long);
        return Some(options.map(|long| format!("--{long}")).collect());
    }
    let of_option = rest.last().and_then(|last| option(command, last));
    if let Some(option) = of_option.filter(|option| option.get_action().takes_values()) {
        return Some(option.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect());
    }
    let place = rest.iter().filter(|word| !word.starts_with('-')).count();
    let Some(argument) = command.get_positionals().nth(place) else { return Some(Vec::new()) };
    match argument.get_id().as_str() {
        "name" => Some(live.iter().map(|(name, _)| name.clone()).collect()),
        "function" => Some(live.iter().flat_map(functions).collect()),
        "alias" => Some(vec!["as".to_owned()]),
        "file" => None,
        _ => Some(Vec::new()),
    }
}

fn commands(definition: &clap::Command) -> Vec<String> {
    definition.get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

fn option<'c>(command: &'c clap::Command, word: &str) -> Option<&'c clap::Arg> {
    let long = word.strip_prefix("--")?;
    command.get_opts().find(|option| option.get_long() == Some(long))
}

fn functions((name, exports): &Live) -> impl Iterator<Item = String> {
    exports.iter().map(move |export| format!("{name}.{export}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        let live = [("app", vec!["area", "volume"]), ("math", vec!["multiply"])];
        let own = |(name, exports): (&str, Vec<&str>)| {
            (name.to_owned(), exports.into_iter().map(str::to_owned).collect())
        };
        match complete(line, &live.map(own)) {
            Completion::Words(_, words) => words,
            Completion::Path => vec!["(path)".to_owned()],
        }
    }

    #[test]
    fn commands_stand_first() {
        assert_eq!(words("l"), ["list", "load"]);
        assert_eq!(words("help un"), ["unload"]);
        assert_eq!(words("help unload "), [""; 0]);
        assert!(words("").len() >= 10);
    }

    #[test]
    fn extensions_follow_what_takes_a_name() {
        for command in ["info", "deps", "unload", "symbols"] {
            assert_eq!(words(&format!("{command} ")), ["app", "math"], "{command}");
        }
        assert_eq!(words("unload m"), ["math"]);
        assert_eq!(words("unload app "), [""; 0]);
        assert_eq!(words("unload --later m"), ["math"]);
    }

    #[test]
    fn functions_follow_call() {
        assert_eq!(words("call "), ["app.area", "app.volume", "math.multiply"]);
        assert_eq!(words("call app.v"), ["app.volume"]);
        assert_eq!(words("call app.volume 1"), [""; 0]);
    }

    #[test]
    fn options_and_their_values_are_those_of_the_command() {
        assert_eq!(words("unload math --"), ["--later", "--within"]);
        assert_eq!(words("list --"), ["--json"]);
        assert_eq!(words("call app.area --returns u"), ["u16", "u32", "u64", "u8", "usize"]);
    }

    #[test]
    fn paths_follow_load() {
        assert_eq!(words("load "), ["(path)"]);
        assert_eq!(words("load target/a.l"), ["(path)"]);
        assert_eq!(words("load a.llext a"), ["as"]);
        assert_eq!(words("load a.llext as n"), [""; 0]);
        assert_eq!(words("fly "), [""; 0]);
    }

    #[test]
    fn a_word_begins_after_the_last_blank() {
        assert_eq!(complete("unload xyz", &[]), Completion::Words(7, Vec::new()));
        assert_eq!(complete("q", &[]), Completion::Words(0, vec!["quit".to_owned()]));
        assert_eq!(complete("unload\u{3000}ä", &[]), Completion::Words(0, Vec::new()));
    }

    #[test]
    fn blanks_in_quotes_end_no_word() {
        for path in ["'my own/a", "\"my own/a", "my\\ own/a", "\"a\\\" b"] {
            assert_eq!(words(&format!("load {path}")), ["(path)"], "{path}");
            let closed = if path.starts_with(['"', '\'']) { &path[..1] } else { "" };
            assert_eq!(words(&format!("load {path}{closed} ")), ["as"], "{path}");
        }
    }
}

//! What a board is told to do with a file, and what it must answer.

use super::build::Built;
use super::harness::directive::{Directives, Step as Wanted, Trace};
use super::harness::extension::Extension;
use super::harness::kind::Variant;

/// What came of one case: nothing to say, or what is wrong.
pub(super) type Verdict = Result<(), String>;

/// Where the loader takes the bytes from.
pub(super) const FROM: [&str; 3] = ["lent", "read-only", "file"];

/// One load of one file and all that follows.
pub(super) struct Case {
    /// For people.
    pub(super) name: String,
    steps: Vec<Step>,
    trace: Trace,
    output: Vec<String>,
    missing: Vec<String>,
}

/// A command, what may be answered, and which part of the trace is heard meanwhile.
struct Step {
    command: String,
    answers: Vec<String>,
    part: usize,
}

const LOADING: usize = 0;
const CALLING: usize = 1;
const UNLOADING: usize = 2;

impl Case {
    pub(super) fn new(extension: &Extension, variant: &Variant, built: &Built, from: &str) -> Self {
        let directives = &extension.directives;
        let mut case = Self {
            name: format!("{variant} from {from}"),
            steps: Vec::new(),
            trace: directives.trace(variant).cloned().unwrap_or_default(),
            output: directives.output(variant).into_iter().map(str::to_owned).collect(),
            missing: directives.missing(variant),
        };
        case.missing.sort();
        case.plan(extension, variant, built, from);
        case
    }

    /// A story of its own: commands and their answers, and all that is traced meanwhile.
    pub(super) fn told(name: String, story: Vec<(String, &str)>, trace: &[i32]) -> Self {
        let step = |(command, answer): (String, &str)| Step {
            command,
            answers: vec![answer.to_owned()],
            part: LOADING,
        };
        let steps = story.into_iter().map(step).collect();
        let trace = [trace.to_vec(), Vec::new(), Vec::new()];
        Self { name, steps, trace, output: Vec::new(), missing: Vec::new() }
    }

    fn plan(&mut self, extension: &Extension, variant: &Variant, built: &Built, from: &str) {
        let (directives, slot) = (&extension.directives, built.needs.len());
        for (slot, (name, file)) in built.needs.iter().enumerate() {
            self.add(LOADING, format!("load {slot} {name} file {}", file.display()), "= loaded");
        }
        let command = format!("load {slot} {} {from} {}", extension.name, built.file.display());
        let errors = directives.errors(variant);
        if errors.is_empty() {
            self.add(LOADING, command, "= loaded");
            self.plan_life(directives, variant, slot);
        } else {
            self.steps.push(Step {
                command,
                answers: errors.iter().map(|error| refusal(error)).collect(),
                part: LOADING,
            });
        }
        for slot in (0..slot).rev() {
            self.add(UNLOADING, format!("unload {slot}"), "= 0 uses");
        }
    }

    fn plan_life(&mut self, directives: &Directives, variant: &Variant, slot: usize) {
        for wanted in directives.steps(variant) {
            let (command, answer) = command(wanted, slot);
            self.add(CALLING, command, &answer);
        }
        for name in directives.exports(variant) {
            self.add(CALLING, format!("find {slot} {name}"), "= there");
        }
        for name in directives.hides(variant) {
            self.add(CALLING, format!("find {slot} {name}"), "= not there");
        }
        self.add(UNLOADING, format!("unload {slot}"), "= 0 uses");
    }

    fn add(&mut self, part: usize, command: String, answer: &str) {
        self.steps.push(Step { command, answers: vec![answer.to_owned()], part });
    }

    /// Its lines in the script, after the one that names it. The last asks what memory is still in use.
    pub(super) fn commands(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|step| step.command.as_str()).chain(["memory"])
    }

    /// Whether these lines are the right answer; `memory` is what was answered before the first case.
    pub(super) fn judge(&self, lines: &[&str], memory: &str) -> Verdict {
        let (mut trace, mut output, mut missing) = (Trace::default(), Vec::new(), Vec::new());
        let mut steps = self.steps.iter().peekable();
        for line in lines {
            let part = steps.peek().map_or(UNLOADING, |step| step.part);
            match line.split_once(' ') {
                Some(("trace", value)) => trace[part].extend(value.parse::<i32>()),
                Some(("print", text)) => output.push(text.to_owned()),
                Some(("missing", name)) => missing.push(name.to_owned()),
                Some(("=" | "!", _)) => match steps.next() {
                    Some(step) => step.expect(line)?,
                    None => equal("memory", *line, memory)?,
                },
                _ => return Err(format!("the board said {line:?}")),
            }
        }
        if let Some(step) = steps.next() {
            return Err(format!("{}: no answer", step.command));
        }
        missing.sort();
        equal("trace", &trace, &self.trace)?;
        equal("output", &output, &self.output)?;
        equal("missing", &missing, &self.missing)
    }
}

impl Step {
    fn expect(&self, line: &str) -> Verdict {
        let answers = |answer: &String| match answer.strip_prefix("! ") {
            Some(error) => line.split(' ').any(|word| word == error),
            None => answer == line,
        };
        if self.answers.iter().any(answers) {
            return Ok(());
        }
        let command: Vec<&str> = self.command.split(' ').filter(|word| !word.starts_with('/')).collect();
        Err(format!("{}: {line:?} instead of {}", command.join(" "), self.answers.join(" or ")))
    }
}

/// By name or by number.
fn refusal(error: &str) -> String {
    format!("! {}", error.strip_prefix('E').filter(|code| code.parse::<u32>().is_ok()).unwrap_or(error))
}

fn command(wanted: &Wanted, slot: usize) -> (String, String) {
    match wanted {
        Wanted::Call { name, arguments, result } => {
            let arguments: String = arguments.iter().map(|argument| format!(" {argument}")).collect();
            (format!("call {slot} {name}{arguments}"), format!("= {result}"))
        }
        Wanted::Object { name, value } => (format!("object {slot} {name}"), format!("= {value}")),
        Wanted::Store { name, value } => (format!("store {slot} {name} {value}"), "= stored".to_owned()),
        Wanted::Aligned { name, align } => (format!("align {slot} {name} {align}"), "= 0".to_owned()),
    }
}

fn equal<T: PartialEq + std::fmt::Debug + ?Sized>(what: &str, found: &T, expected: &T) -> Verdict {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?} instead of {expected:?}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMORY: &str = "= 0 in use, 8 and 8 free";

    fn case() -> Case {
        let story = vec![("load 0 a file a.o".to_owned(), "= loaded"), ("unload 0".to_owned(), "! InUse")];
        Case::told("a".to_owned(), story, &[1, 2])
    }

    #[test]
    fn the_right_answers_pass() {
        let answers = ["trace 1", "= loaded", "trace 2", "! 425 InUse", MEMORY];
        assert_eq!(case().judge(&answers, MEMORY), Ok(()));
        assert_eq!(case().commands().collect::<Vec<_>>(), ["load 0 a file a.o", "unload 0", "memory"]);
    }

    #[test]
    fn every_wrong_answer_is_found() {
        let wrong = [
            ["trace 1", "! 125 UndefinedSymbols", "trace 2", "! 425 InUse", MEMORY],
            ["trace 1", "= loaded", "trace 3", "! 425 InUse", MEMORY],
            ["trace 1", "= loaded", "trace 2", "= 0 uses", MEMORY],
            ["trace 1", "= loaded", "trace 2", "! 425 InUse", "= 8 in use, 8 and 8 free"],
            ["print a", "= loaded", "trace 2", "! 425 InUse", MEMORY],
            ["trace 1", "= loaded", "missing a", "! 425 InUse", MEMORY],
            ["trace 1", "= loaded", "fault at 0x0", "! 425 InUse", MEMORY],
        ];
        for answers in wrong {
            assert!(case().judge(&answers, MEMORY).is_err(), "{answers:?}");
        }
        assert!(case().judge(&["trace 1", "= loaded", "trace 2"], MEMORY).is_err());
    }
}

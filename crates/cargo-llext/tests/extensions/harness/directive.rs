//! The directives in the first lines of a source: what to build, what to expect. extensions/README.md describes them.

use super::kind::{Selector, Variant};

/// Something that holds for some variants.
pub(crate) struct Scoped<T> {
    selector: Selector,
    value: T,
}

/// Keeps an extension to some variants, and says why.
pub(crate) struct Limit {
    pub(crate) selector: Selector,
    pub(crate) reason: String,
}

/// What is done with a live extension, in the order of the lines.
#[derive(Clone)]
pub(crate) enum Step {
    /// Calls a function of C ints.
    Call { name: String, arguments: Vec<i32>, result: i32 },
    /// Reads an exported int.
    Object { name: String, value: i32 },
    /// Writes an exported int.
    Store { name: String, value: i32 },
    /// Looks where an export lies.
    Aligned { name: String, align: usize },
}

/// A change to the finished file.
pub(crate) enum Patch {
    /// Another value for a field of the ELF header or of a section's header.
    Field { section: Option<String>, field: String, value: u64 },
    /// The contents of the sections in reverse order, the headers before them.
    ReverseSections,
}

/// What the host heard by `host_trace`: while loading, while calling, while unloading.
pub(crate) type Trace = [Vec<i32>; 3];

/// All directives of one source.
#[derive(Default)]
pub(crate) struct Directives {
    pub(crate) about: String,
    pub(crate) limits: Vec<Limit>,
    pub(crate) files: Vec<String>,
    pub(crate) needs: Vec<String>,
    pub(crate) links: Vec<String>,
    libc: Vec<Scoped<bool>>,
    patches: Vec<Scoped<Patch>>,
    flags: Vec<Scoped<Vec<String>>>,
    link: Vec<Scoped<Vec<String>>>,
    shows: Vec<Scoped<Vec<String>>>,
    steps: Vec<Scoped<Step>>,
    trace: Vec<Scoped<Trace>>,
    output: Vec<Scoped<String>>,
    errors: Vec<Scoped<Vec<String>>>,
    missing: Vec<Scoped<Vec<String>>>,
    exports: Vec<Scoped<Vec<String>>>,
    hides: Vec<Scoped<Vec<String>>>,
}

impl Directives {
    /// Reads the lines that begin with `//!` at the start of a source.
    pub(crate) fn parse(source: &str) -> Result<Self, String> {
        let mut directives = Self::default();
        let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
        for (index, line) in lines.enumerate() {
            directives.take(line.trim()).map_err(|error| format!("line {}: {error}", index + 1))?;
        }
        if directives.about.is_empty() {
            return Err("the first line must be `//! about: ...`".to_owned());
        }
        Ok(directives)
    }

    fn take(&mut self, line: &str) -> Result<(), String> {
        let (head, value) = line.split_once(": ").unwrap_or((line, ""));
        let (name, selector) =
            head.strip_suffix(']').and_then(|head| head.split_once('[')).unwrap_or((head, ""));
        let selector = Selector::parse(selector)?;
        let value = value.trim();
        match name {
            "about" => self.about = value.to_owned(),
            "kinds" | "compilers" | "places" => self.limits.push(limit(value)?),
            "files" => self.files = words(value),
            "needs" => self.needs = words(value),
            "links" => self.links = words(value),
            "libc" => self.libc.push(Scoped { selector, value: true }),
            "no-libc" => self.libc.push(Scoped { selector, value: false }),
            "patch" => self.patches.push(Scoped { selector, value: patch(value)? }),
            "flags" => self.flags.push(Scoped { selector, value: words(value) }),
            "link" => self.link.push(Scoped { selector, value: words(value) }),
            "shows" => self.shows.push(Scoped { selector, value: words(value) }),
            "call" => self.steps.push(Scoped { selector, value: call(value)? }),
            "object" => self.steps.push(Scoped { selector, value: object(value)? }),
            "store" => self.steps.push(Scoped { selector, value: store(value)? }),
            "aligned" => self.steps.push(Scoped { selector, value: aligned(value)? }),
            "trace" => self.trace.push(Scoped { selector, value: trace(value)? }),
            "output" => self.output.push(Scoped { selector, value: value.to_owned() }),
            "error" => self.errors.push(Scoped { selector, value: words(value) }),
            "missing" => self.missing.push(Scoped { selector, value: words(value) }),
            "exports" => self.exports.push(Scoped { selector, value: words(value) }),
            "hides" => self.hides.push(Scoped { selector, value: words(value) }),
            _ => return Err(format!("no directive is called {name:?}")),
        }
        Ok(())
    }

    /// The reason why this variant is not made, if there is one.
    pub(crate) fn excludes(&self, variant: &Variant) -> Option<&str> {
        self.limits.iter().find(|limit| !limit.selector.selects(variant)).map(|limit| limit.reason.as_str())
    }

    /// Whether the process's C library is on offer. Every compiler links shared objects with it unasked.
    pub(crate) fn libc(&self, variant: &Variant) -> bool {
        self.says_of_libc(variant).unwrap_or(variant.kind.family() == "so")
    }

    /// Whether it asks for the C library, or for none; nothing if it does not care.
    pub(crate) fn says_of_libc(&self, variant: &Variant) -> Option<bool> {
        selected(&self.libc, variant).last().copied()
    }

    pub(crate) fn patches(&self, variant: &Variant) -> impl Iterator<Item = &Patch> {
        selected(&self.patches, variant)
    }

    pub(crate) fn flags(&self, variant: &Variant) -> Vec<String> {
        joined(&self.flags, variant)
    }

    pub(crate) fn link(&self, variant: &Variant) -> Vec<String> {
        joined(&self.link, variant)
    }

    pub(crate) fn shows(&self, variant: &Variant) -> Vec<String> {
        joined(&self.shows, variant)
    }

    /// The names of errors any of which a load may end with; empty when it must succeed.
    pub(crate) fn errors(&self, variant: &Variant) -> Vec<String> {
        joined(&self.errors, variant)
    }

    pub(crate) fn missing(&self, variant: &Variant) -> Vec<String> {
        joined(&self.missing, variant)
    }

    pub(crate) fn exports(&self, variant: &Variant) -> Vec<String> {
        joined(&self.exports, variant)
    }

    pub(crate) fn hides(&self, variant: &Variant) -> Vec<String> {
        joined(&self.hides, variant)
    }

    pub(crate) fn steps(&self, variant: &Variant) -> impl Iterator<Item = &Step> {
        selected(&self.steps, variant)
    }

    pub(crate) fn output(&self, variant: &Variant) -> Vec<&str> {
        selected(&self.output, variant).map(String::as_str).collect()
    }

    /// The last line that speaks of this variant counts.
    pub(crate) fn trace(&self, variant: &Variant) -> Option<&Trace> {
        selected(&self.trace, variant).last()
    }

    /// The names by which the host knows this extension: what a linker that drops the unused must keep.
    pub(crate) fn roots(&self, variant: &Variant) -> Vec<String> {
        let mut roots: Vec<String> = self.steps(variant).map(|step| step.name().to_owned()).collect();
        roots.extend(self.exports(variant));
        roots.sort();
        roots.dedup();
        roots
    }
}

impl Step {
    fn name(&self) -> &str {
        let (Self::Call { name, .. }
        | Self::Object { name, .. }
        | Self::Store { name, .. }
        | Self::Aligned { name, .. }) = self;
        name
    }
}

fn selected<'a, T>(lines: &'a [Scoped<T>], variant: &Variant) -> impl Iterator<Item = &'a T> {
    let variant = *variant;
    lines.iter().filter(move |line| line.selector.selects(&variant)).map(|line| &line.value)
}

fn joined(lines: &[Scoped<Vec<String>>], variant: &Variant) -> Vec<String> {
    selected(lines, variant).flatten().cloned().collect()
}

fn words(value: &str) -> Vec<String> {
    value.split_whitespace().map(str::to_owned).collect()
}

/// `o r (why no others)`
fn limit(value: &str) -> Result<Limit, String> {
    let (selector, reason) = value
        .strip_suffix(')')
        .and_then(|value| value.split_once(" ("))
        .ok_or("what limits an extension says why, in brackets at the end")?;
    Ok(Limit { selector: Selector::parse(selector)?, reason: reason.to_owned() })
}

/// `.bss.sh_offset = 1`, `e_type = 2` or `reverse-sections`
fn patch(value: &str) -> Result<Patch, String> {
    if value == "reverse-sections" {
        return Ok(Patch::ReverseSections);
    }
    let (place, value) = assignment(value)?;
    let value = number(value)? as u64;
    Ok(match place.rsplit_once(".sh_") {
        Some((section, field)) => {
            Patch::Field { section: Some(section.to_owned()), field: format!("sh_{field}"), value }
        }
        None => Patch::Field { section: None, field: place.to_owned(), value },
    })
}

/// `add(1, 2) = 3`
fn call(value: &str) -> Result<Step, String> {
    let (call, result) = assignment(value)?;
    let (name, arguments) = call
        .strip_suffix(')')
        .and_then(|call| call.split_once('('))
        .ok_or("a call reads NAME(ARGUMENTS) = VALUE")?;
    let arguments = arguments.split(',').map(str::trim).filter(|argument| !argument.is_empty()).map(int);
    Ok(Step::Call {
        name: name.to_owned(),
        arguments: arguments.collect::<Result<_, _>>()?,
        result: int(result)?,
    })
}

fn object(value: &str) -> Result<Step, String> {
    let (name, value) = assignment(value)?;
    Ok(Step::Object { name: name.to_owned(), value: int(value)? })
}

fn store(value: &str) -> Result<Step, String> {
    let (name, value) = assignment(value)?;
    Ok(Step::Store { name: name.to_owned(), value: int(value)? })
}

/// `name 4096`
fn aligned(value: &str) -> Result<Step, String> {
    let (name, align) = value.split_once(' ').ok_or("an alignment reads NAME BYTES")?;
    Ok(Step::Aligned { name: name.to_owned(), align: number(align)? as usize })
}

/// `1 2 | 3 | 4`: loading, calling, unloading
fn trace(value: &str) -> Result<Trace, String> {
    let mut trace = Trace::default();
    for (index, part) in value.split('|').enumerate() {
        let values = part.split_whitespace().map(int).collect::<Result<_, _>>()?;
        *trace.get_mut(index).ok_or("a trace has three parts: loading | calling | unloading")? = values;
    }
    Ok(trace)
}

fn assignment(value: &str) -> Result<(&str, &str), String> {
    let (left, right) = value.rsplit_once('=').ok_or("expected `... = VALUE`")?;
    Ok((left.trim(), right.trim()))
}

fn int(text: &str) -> Result<i32, String> {
    i32::try_from(number(text)?).map_err(|_| format!("{text} does not fit a C int"))
}

/// A decimal or hexadecimal number with or without a sign.
fn number(text: &str) -> Result<i64, String> {
    let (sign, digits) = text.trim().strip_prefix('-').map_or((1, text.trim()), |digits| (-1, digits));
    let parsed = match digits.strip_prefix("0x") {
        Some(hexadecimal) => i64::from_str_radix(hexadecimal, 16),
        None => digits.parse(),
    };
    parsed.map(|value| sign * value).map_err(|_| format!("{text:?} is not a number"))
}

//! A call as it was asked for on the command line: a name, words, and what to make of the result.

use std::ffi::CString;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::cli::Returns;
use crate::error::Error;

/// A function to call.
pub(crate) struct Call {
    pub(crate) function: String,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) returns: Returns,
}

/// An argument: one machine word.
pub(crate) enum Argument {
    Number { text: String, word: usize },
    Text(CString),
}

/// What a call returned, before anybody says what it is.
pub(crate) enum Raw {
    Nothing,
    Bits(u64),
    Single(f32),
    Double(f64),
    /// Text that lay where the function pointed to.
    Text(Option<String>),
}

/// The call and its result, as it is shown.
#[derive(Serialize)]
pub(crate) struct Outcome {
    call: String,
    returns: String,
    value: Value,
    #[serde(skip)]
    shown: String,
}

impl Call {
    /// The name and arguments that `--call` was given; none when there is no call to make.
    pub(crate) fn parse(words: &[String], returns: Returns) -> Result<Option<Self>, Error> {
        let Some((function, arguments)) = words.split_first() else { return Ok(None) };
        let arguments = arguments.iter().map(|text| Argument::parse(text)).collect::<Result<_, _>>()?;
        Ok(Some(Self { function: function.clone(), arguments, returns }))
    }

    /// The arguments as the function takes them. They live as long as the call does.
    pub(crate) fn words(&self) -> Vec<usize> {
        self.arguments.iter().map(Argument::word).collect()
    }
}

impl Argument {
    fn parse(text: &str) -> Result<Self, Error> {
        if let Some(word) = number(text) {
            let word = word.ok_or_else(|| bad(text, "does not fit a machine word"))?;
            return Ok(Self::Number { text: text.to_owned(), word });
        }
        let inside = text.strip_prefix("str:").unwrap_or(text);
        CString::new(inside).map(Self::Text).map_err(|_| bad(text, "contains NUL"))
    }

    /// A number, which must fit a machine word.
    pub(crate) fn number(text: &str) -> Result<usize, Error> {
        let word = number(text).ok_or_else(|| bad(text, "is not a number"))?;
        word.ok_or_else(|| bad(text, "does not fit a machine word"))
    }

    fn word(&self) -> usize {
        match self {
            Self::Number { word, .. } => *word,
            Self::Text(text) => text.as_ptr().expose_provenance(),
        }
    }
}

/// A decimal, hexadecimal, octal or binary number as a word: `None` for what is none, `Some(None)` for one too large.
fn number(text: &str) -> Option<Option<usize>> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (radix, digits) = match digits.get(..2) {
        Some("0x" | "0X") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits, radix).ok();
    Some(magnitude.and_then(|magnitude| {
        let value = if negative { -magnitude } else { magnitude };
        isize::try_from(value).map(|value| value as usize).or_else(|_| usize::try_from(value)).ok()
    }))
}

fn bad(argument: &str, reason: &'static str) -> Error {
    Error::BadArgument { argument: argument.to_owned(), reason }
}

impl Outcome {
    pub(crate) fn new(call: &Call, raw: Raw) -> Self {
        let (value, shown) = read(call.returns, raw);
        let returns = format!("{:?}", call.returns).to_lowercase();
        Self { call: call.to_string(), returns, value, shown }
    }
}

/// What the result is as the type that was asked for: for programs, and for people.
fn read(returns: Returns, raw: Raw) -> (Value, String) {
    let both = |value: Value| (value.clone(), value.to_string());
    match (raw, returns) {
        (Raw::Nothing, _) => (Value::Null, "void".to_owned()),
        (Raw::Text(None), _) => (Value::Null, "null".to_owned()),
        (Raw::Text(Some(text)), _) => (text.as_str().into(), format!("{text:?}")),
        (Raw::Single(value), _) => (f64::from(value).into(), value.to_string()),
        (Raw::Double(value), _) => (value.into(), value.to_string()),
        (Raw::Bits(bits), Returns::Bool) => both((bits as u8 != 0).into()),
        (Raw::Bits(bits), Returns::U8) => both((bits as u8).into()),
        (Raw::Bits(bits), Returns::I8) => both((bits as i8).into()),
        (Raw::Bits(bits), Returns::U16) => both((bits as u16).into()),
        (Raw::Bits(bits), Returns::I16) => both((bits as i16).into()),
        (Raw::Bits(bits), Returns::U32) => both((bits as u32).into()),
        (Raw::Bits(bits), Returns::I64) => both((bits as i64).into()),
        (Raw::Bits(bits), Returns::U64) => both(bits.into()),
        (Raw::Bits(bits), Returns::Usize) => both((bits as usize).into()),
        (Raw::Bits(bits), Returns::Isize) => both((bits as isize).into()),
        (Raw::Bits(bits), Returns::Ptr) => {
            (format!("{:#x}", bits as usize).into(), format!("{:#x}", bits as usize))
        }
        (Raw::Bits(bits), _) => both((bits as i32).into()),
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<String> = self.arguments.iter().map(Argument::to_string).collect();
        write!(f, "{}({})", self.function, arguments.join(", "))
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { text, .. } => f.write_str(text),
            Self::Text(text) => write!(f, "{:?}", text.to_string_lossy()),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} = {}", self.call, self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(words: &[&str], returns: Returns) -> Call {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Call::parse(&words, returns).unwrap().unwrap()
    }

    #[test]
    fn numbers_are_words_and_all_else_is_text() {
        let call = call(&["f", "-1", "0x10", "0b11", "str:5", "two", "-"], Returns::Int);
        assert_eq!(call.words()[..3], [usize::MAX, 16, 3]);
        assert_eq!(call.to_string(), r#"f(-1, 0x10, 0b11, "5", "two", "-")"#);
    }

    #[test]
    fn a_number_that_fits_no_word_is_refused() {
        for text in
            ["18446744073709551616", "-9223372036854775809", "999999999999999999999999999999999999999999"]
        {
            assert_eq!(Argument::parse(text).err().map(|error| error.code()), Some(742), "{text}");
        }
        assert!(Argument::parse("18446744073709551615").is_ok());
    }

    #[test]
    fn results_are_read_as_the_type_that_was_asked_for() {
        let shown = |returns, raw| Outcome::new(&call(&["probe"], returns), raw).to_string();
        assert_eq!(shown(Returns::Int, Raw::Bits(0xffff_ffff)), "probe() = -1\n");
        assert_eq!(shown(Returns::U32, Raw::Bits(0xffff_ffff)), "probe() = 4294967295\n");
        assert_eq!(shown(Returns::Bool, Raw::Bits(0x100)), "probe() = false\n");
        assert_eq!(shown(Returns::I8, Raw::Bits(0xff)), "probe() = -1\n");
        assert_eq!(shown(Returns::Ptr, Raw::Bits(16)), "probe() = 0x10\n");
        assert_eq!(shown(Returns::F64, Raw::Double(1.5)), "probe() = 1.5\n");
        assert_eq!(shown(Returns::Str, Raw::Text(Some("a\n".into()))), "probe() = \"a\\n\"\n");
        assert_eq!(shown(Returns::Str, Raw::Text(None)), "probe() = null\n");
        assert_eq!(shown(Returns::Void, Raw::Nothing), "probe() = void\n");
    }
}

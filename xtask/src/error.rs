//! What a task says when it cannot go on: one line of text.

use std::fmt;

/// A task's failure. Not an `std::error::Error`, so that `?` can take any of those.
#[derive(Debug)]
pub(crate) struct Error(String);

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Fails with a formatted line.
macro_rules! bail {
    ($($text:tt)*) => { return Err($crate::error::Error::new(format!($($text)*))) };
}
pub(crate) use bail;

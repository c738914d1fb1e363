//! The name of a symbol: its text and its GNU hash, spread as tables are sorted.

use std::ffi::CString;

use proc_macro2::{Ident, Literal, Span};
use syn::Error;
use syn::ext::IdentExt;

pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) hash: u32,
    span: Span,
}

impl Name {
    /// The name of an item: without the `r#` of a raw identifier.
    pub(crate) fn new(ident: &Ident) -> Self {
        let text = ident.unraw().to_string();
        let hash = text.bytes().fold(5381_u32, |hash, byte| hash.wrapping_mul(33).wrapping_add(byte.into()));
        // As `llext::export::spread`: tables are sorted by this.
        let hash = hash.wrapping_mul(0x9e37_79b1);
        Self { text, hash, span: ident.span() }
    }

    /// The name's SLID, 64 bits.
    pub(crate) fn slid(&self) -> u64 {
        llext_link::symbol::slid(self.text.as_bytes())
    }

    /// The name as a C string literal.
    pub(crate) fn literal(&self) -> Literal {
        Literal::c_string(&CString::new(self.text.as_str()).unwrap_or_default())
    }

    /// The error of two names of one hash in one table.
    pub(crate) fn clash(&self, other: &Name) -> Error {
        let (one, two) = (&self.text, &other.text);
        if one == two {
            return Error::new(other.span, format!("`{one}` is listed twice"));
        }
        let message = format!("`{one}` and `{two}` have one GNU hash: one of them needs another name");
        Error::new(other.span, message)
    }
}

//! The name of a symbol: its text and its GNU hash, spread as tables are sorted.

use std::ffi::CString;

use proc_macro2::{Ident, Literal, Span};
use syn::ext::IdentExt;
use syn::{Error, LitStr};

use crate::slid::{sha256, slid};

pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) hash: u32,
    span: Span,
}

impl Name {
    /// The name of an item: without the `r#` of a raw identifier.
    pub(crate) fn new(ident: &Ident) -> Self {
        Self::of_text(ident.unraw().to_string(), ident.span())
    }

    /// The name of the device at a path of the devicetree: the path's SHA-256 in base64, as LLEXT writes it for its option
    /// LLEXT_EXPORT_DEV_IDS_BY_HASH, with `_` for both characters that stand in no identifier.
    pub(crate) fn of_device(path: &LitStr) -> Self {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789__";
        let mut digest = Vec::new();
        for word in sha256(path.value().as_bytes()) {
            digest.extend(word.to_be_bytes());
        }
        let mut text = String::from("__device_dts_");
        for bytes in digest.chunks(3) {
            let bits =
                bytes.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - bytes.len()));
            let digits = (0..=bytes.len()).map(|digit| DIGITS[bits >> (18 - 6 * digit) & 63]);
            text.extend(digits.map(char::from));
        }
        Self::of_text(text, path.span())
    }

    fn of_text(text: String, span: Span) -> Self {
        let hash = text.bytes().fold(5381_u32, |hash, byte| hash.wrapping_mul(33).wrapping_add(byte.into()));
        // As `llext::export::spread`: tables are sorted by this.
        let hash = hash.wrapping_mul(0x9e37_79b1);
        Self { text, hash, span }
    }

    /// The name's SLID, 64 bits.
    pub(crate) fn slid(&self) -> u64 {
        slid(self.text.as_bytes())
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

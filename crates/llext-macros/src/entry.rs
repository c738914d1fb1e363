//! One entry of an export table, as code: two words in a link section, the address of the name and that of the item.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// The table an entry goes to.
#[derive(Clone, Copy)]
pub(crate) enum Table {
    /// The host's, which the linker gathers.
    Host,
    /// The extension's own, which the loader reads.
    Extension,
}

impl Table {
    fn section(self) -> &'static str {
        match self {
            Table::Host => "llext_exports",
            Table::Extension => ".exported_sym",
        }
    }
}

/// A constant that holds nothing but the entry of `address` (an expression of type `*const ()`) under `name`.
pub(crate) fn entry(table: Table, name: &str, address: &TokenStream) -> TokenStream {
    let section = table.section();
    let text = Literal::byte_string(format!("{name}\0").as_bytes());
    quote! {
        const _: () = {
            #[repr(C)]
            struct __LlextExport(*const u8, *const ());
            // SAFETY: both are addresses of things that live for ever and that are not used through this entry.
            unsafe impl ::core::marker::Sync for __LlextExport {}
            #[used]
            #[cfg_attr(not(any(windows, target_vendor = "apple")), unsafe(link_section = #section))]
            static __LLEXT_EXPORT: __LlextExport = __LlextExport(#text.as_ptr(), #address);
        };
    }
}

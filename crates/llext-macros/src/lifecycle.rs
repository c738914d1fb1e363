//! `#[init]` and `#[fini]`: the function as it is, a C function that calls it, and that one's entry.
//!
//! The C function is a global symbol, so that an extension with two of a kind does not link.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Error, Ident, ItemFn, Result, ReturnType, Signature};

use crate::entry::{Table, entry};

pub(crate) fn init(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function = parse(options, item, "init")?;
    let ident = &function.sig.ident;
    let call = quote! {
        #[unsafe(export_name = "llext_init")]
        extern "C" fn __llext_init() -> i32 {
            ::llext_sdk::Outcome::status(#ident())
        }
    };
    Ok(with_entry(&function, "llext_init", "__llext_init", &call))
}

pub(crate) fn fini(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function = parse(options, item, "fini")?;
    if let ReturnType::Type(_, result) = &function.sig.output {
        return Err(Error::new_spanned(
            result,
            "`#[fini]` takes a function that returns nothing: an unload cannot fail",
        ));
    }
    let ident = &function.sig.ident;
    let call = quote! {
        #[unsafe(export_name = "llext_fini")]
        extern "C" fn __llext_fini() {
            #ident()
        }
    };
    Ok(with_entry(&function, "llext_fini", "__llext_fini", &call))
}

fn parse(options: TokenStream, item: TokenStream, which: &str) -> Result<ItemFn> {
    if !options.is_empty() {
        return Err(Error::new_spanned(options, format!("`#[{which}]` has no options")));
    }
    let function: ItemFn = syn::parse2(item)?;
    check(&function.sig, which)?;
    Ok(function)
}

/// Refuses what the C function could not simply call.
fn check(signature: &Signature, which: &str) -> Result<()> {
    if let Some(argument) = signature.inputs.first() {
        return Err(Error::new_spanned(
            argument,
            format!("`#[{which}]` takes a function without parameters"),
        ));
    }
    if !signature.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &signature.generics,
            format!("`#[{which}]` takes a function that is not generic"),
        ));
    }
    if let Some(asyncness) = signature.asyncness {
        return Err(Error::new_spanned(
            asyncness,
            format!("`#[{which}]` takes a function that is not `async`"),
        ));
    }
    match signature.unsafety {
        Some(unsafety) => Err(Error::new_spanned(
            unsafety,
            format!("`#[{which}]` takes a safe function: the host calls it"),
        )),
        None => Ok(()),
    }
}

fn with_entry(function: &ItemFn, name: &str, caller: &str, call: &TokenStream) -> TokenStream {
    let caller = Ident::new(caller, Span::call_site());
    let entry = entry(Table::Extension, name, &quote!(#caller as *const ()));
    quote! {
        #function
        const _: () = {
            #call
            #entry
        };
    }
}

//! `#[export]`: the item as it is, and its entry.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Error, FnArg, Item, LitStr, Result, Signature, Type};

use crate::entry::{Table, entry};
use crate::exports::conditions;

pub(crate) fn expand(options: TokenStream, item: TokenStream, table: Table) -> Result<TokenStream> {
    let name = name_option(options)?;
    let item: Item = syn::parse2(item)?;
    let (ident, attributes, address) = match &item {
        Item::Fn(function) => {
            check(&function.sig)?;
            let ident = &function.sig.ident;
            (ident, &function.attrs, quote!(#ident as *const ()))
        }
        Item::Static(object) => {
            let ident = &object.ident;
            (ident, &object.attrs, quote!((&raw const #ident).cast()))
        }
        other => return Err(Error::new_spanned(other, "only a function or a static can be exported")),
    };
    let conditions = conditions(attributes);
    let entry = entry(table, &name.unwrap_or_else(|| ident.unraw().to_string()), &address);
    Ok(quote!(#item #(#conditions)* #entry))
}

/// The name in `name = "..."`.
fn name_option(options: TokenStream) -> Result<Option<String>> {
    let mut name = None;
    let parser = syn::meta::parser(|meta| {
        if !meta.path.is_ident("name") {
            return Err(meta.error("the only option is `name = \"...\"`"));
        }
        let text: LitStr = meta.value()?.parse()?;
        if text.value().is_empty() || text.value().contains('\0') {
            return Err(Error::new(text.span(), "a symbol's name is not empty and contains no NUL"));
        }
        name = Some(text.value());
        Ok(())
    });
    syn::parse::Parser::parse2(parser, options)?;
    Ok(name)
}

/// Refuses functions that code compiled elsewhere could not call.
fn check(signature: &Signature) -> Result<()> {
    check_abi(signature)?;
    if let Some(receiver) = signature.receiver() {
        return Err(Error::new_spanned(receiver, "an export is a free function: it has no `self`"));
    }
    let generics = &signature.generics;
    if generics.type_params().next().is_some() || generics.const_params().next().is_some() {
        return Err(Error::new_spanned(generics, "an export is one function: it cannot be generic"));
    }
    if let Some(argument) = signature.inputs.iter().find(|argument| is_impl(argument)) {
        return Err(Error::new_spanned(argument, "an export is one function: it cannot be generic"));
    }
    match signature.asyncness {
        Some(asyncness) => Err(Error::new_spanned(asyncness, "an export cannot be `async`")),
        None => Ok(()),
    }
}

fn check_abi(signature: &Signature) -> Result<()> {
    let message = format!("an export has the C ABI: write `extern \"C\" fn {}`", signature.ident);
    match &signature.abi {
        None => Err(Error::new_spanned(signature.fn_token, message)),
        Some(abi) if abi.name.as_ref().is_some_and(|name| name.value() != "C") => {
            Err(Error::new_spanned(abi, message))
        }
        Some(_) => Ok(()),
    }
}

fn is_impl(argument: &FnArg) -> bool {
    matches!(argument, FnArg::Typed(typed) if matches!(*typed.ty, Type::ImplTrait(_)))
}

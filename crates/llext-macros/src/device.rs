//! `device!`: statics of the host that extensions know by their place in its devicetree.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Ident, LitStr, Result, Token, Type, Visibility};

use crate::name::Name;

pub(crate) fn expand(declarations: TokenStream) -> Result<TokenStream> {
    let Devices(devices) = syn::parse2(declarations)?;
    Ok(quote!(unsafe extern "C" { #(#devices)* }))
}

struct Devices(Vec<TokenStream>);

impl Parse for Devices {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut devices = Vec::new();
        while !input.is_empty() {
            devices.push(device(input)?);
        }
        Ok(Self(devices))
    }
}

fn device(input: ParseStream<'_>) -> Result<TokenStream> {
    let about = input.call(Attribute::parse_outer)?;
    let visibility: Visibility = input.parse()?;
    input.parse::<Token![static]>()?;
    let name: Ident = input.parse()?;
    input.parse::<Token![:]>()?;
    let ty: Type = input.parse()?;
    input.parse::<Token![=]>()?;
    let symbol = Name::of_device(&input.parse::<LitStr>()?).text;
    input.parse::<Token![;]>()?;
    Ok(quote!(#(#about)* #[link_name = #symbol] #visibility safe static #name: #ty;))
}

//! `exports!`: the statics of a table, its entries hashed and sorted here rather than in constants.
//!
//! Written as `macro_rules!` with the sort in a constant, 2,500 names took seconds to compile, and an error could not point to
//! the name that caused it. Whether two names that stand under a `#[cfg]` both exist is known only later:
//! `ascending` looks at what is left.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Path, Result, ReturnType, Token, Type, Visibility, parenthesized};

use crate::name::Name;

pub(crate) fn expand(list: TokenStream) -> Result<TokenStream> {
    let table: Table = syn::parse2(list)?;
    match &table.contents {
        Contents::Items(items) if table.by_slid => {
            let mut sorted: Vec<&Item> = items.iter().collect();
            sorted.sort_by_key(|item| item.name.slid());
            Ok(table.of_slids(&sorted))
        }
        Contents::Items(items) => Ok(table.of_items(&in_order(items, |item| (&item.name, &item.about))?)),
        Contents::Implementation(exports) if table.by_slid => Ok(table.of_slid_implementation(exports)),
        Contents::Implementation(exports) => Ok(table.of_implementation(exports)),
    }
}

mod kind {
    syn::custom_keyword!(SlidTable);
    syn::custom_keyword!(device);
}

struct Table {
    /// The run time, as the caller knows it.
    llext: Ident,
    about: Vec<Attribute>,
    visibility: Visibility,
    name: Ident,
    /// Whether it has SLIDs instead of names.
    by_slid: bool,
    contents: Contents,
}

enum Contents {
    Items(Vec<Item>),
    /// The constant with the exports of an implementation of an interface.
    Implementation(TokenStream),
}

struct Item {
    about: Vec<Attribute>,
    name: Name,
    kind: Kind,
    path: Path,
}

enum Kind {
    Function { parameters: TokenStream, result: ReturnType },
    Object(Type),
}

impl Parse for Table {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let llext = input.call(Ident::parse_any)?;
        input.parse::<Token![;]>()?;
        let about = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        input.parse::<Token![static]>()?;
        let name = input.parse()?;
        let by_slid = input.parse::<Option<Token![:]>>()?.is_some();
        if by_slid {
            input.parse::<kind::SlidTable>()?;
        }
        let contents = if input.peek(Token![=]) { implementation(input)? } else { items(input)? };
        Ok(Self { llext, about, visibility, name, by_slid, contents })
    }
}

fn implementation(input: ParseStream<'_>) -> Result<Contents> {
    input.parse::<Token![=]>()?;
    let host: Type = input.parse()?;
    input.parse::<Token![as]>()?;
    let interface: Path = input.parse()?;
    input.parse::<Token![;]>()?;
    Ok(Contents::Implementation(quote!(<#host as #interface>::EXPORTS)))
}

fn items(input: ParseStream<'_>) -> Result<Contents> {
    input.parse::<Token![;]>()?;
    let mut items = Vec::new();
    while !input.is_empty() {
        items.push(input.parse()?);
    }
    Ok(Contents::Items(items))
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let about = input.call(Attribute::parse_outer)?;
        let look = input.lookahead1();
        let function = look.peek(Token![fn]);
        if function {
            input.parse::<Token![fn]>()?;
        } else if look.peek(Token![static]) {
            input.parse::<Token![static]>()?;
        } else {
            return Err(look.error());
        }
        if !function && input.peek(kind::device) && input.peek2(Token![!]) {
            return device(about, input);
        }
        let ident: Ident = input.parse()?;
        let kind = if function { signature(input)? } else { object(input)? };
        let path =
            if input.parse::<Option<Token![=]>>()?.is_some() { input.parse()? } else { ident.clone().into() };
        input.parse::<Token![;]>()?;
        Ok(Self { about, name: Name::new(&ident), kind, path })
    }
}

/// A static that is exported as the device at a path.
fn device(about: Vec<Attribute>, input: ParseStream<'_>) -> Result<Item> {
    input.parse::<kind::device>()?;
    input.parse::<Token![!]>()?;
    let name;
    parenthesized!(name in input);
    let name = Name::of_device(&name.parse()?);
    let kind = object(input)?;
    input.parse::<Token![=]>()?;
    let path = input.parse()?;
    input.parse::<Token![;]>()?;
    Ok(Item { about, name, kind, path })
}

fn signature(input: ParseStream<'_>) -> Result<Kind> {
    let parameters;
    parenthesized!(parameters in input);
    Ok(Kind::Function { parameters: parameters.parse()?, result: input.parse()? })
}

fn object(input: ParseStream<'_>) -> Result<Kind> {
    input.parse::<Token![:]>()?;
    Ok(Kind::Object(input.parse()?))
}

impl Table {
    fn of_items(&self, items: &[&Item]) -> TokenStream {
        let units = items.iter().map(|item| item.conditional(quote!(())));
        let hashes = items
            .iter()
            .map(|item| item.conditional(Literal::u32_unsuffixed(item.name.hash).into_token_stream()));
        let entries = items.iter().map(|item| item.conditional(item.entry(&self.llext)));
        self.of(&quote!(<[()]>::len(&[#(#units),*])), &quote!([#(#hashes),*]), &quote!([#(#entries),*]))
    }

    fn of_implementation(&self, exports: &TokenStream) -> TokenStream {
        let llext = &self.llext;
        self.of(
            &quote!(#exports.len()),
            &quote!(#llext::export::hashes(#exports)),
            &quote!(#llext::export::entries(#exports)),
        )
    }

    fn of_slids(&self, items: &[&Item]) -> TokenStream {
        let llext = &self.llext;
        let units = items.iter().map(|item| item.conditional(quote!(())));
        let entries = items.iter().map(|item| {
            let (slid, address) = (Literal::u64_suffixed(item.name.slid()), item.address());
            item.conditional(quote!(#llext::export::SlidExport::new(#slid, #address)))
        });
        self.of_slid_entries(&quote!(<[()]>::len(&[#(#units),*])), &quote!([#(#entries),*]))
    }

    fn of_slid_implementation(&self, exports: &TokenStream) -> TokenStream {
        let llext = &self.llext;
        self.of_slid_entries(&quote!(#exports.len()), &quote!(#llext::export::slid_entries(#exports)))
    }

    /// The static of a table of SLIDs, given how many entries it has and themselves.
    fn of_slid_entries(&self, count: &TokenStream, entries: &TokenStream) -> TokenStream {
        let Self { llext, about, visibility, name, .. } = self;
        quote! {
            #(#about)*
            #visibility static #name: #llext::export::SlidTable = {
                const __LLEXT_COUNT: ::core::primitive::usize = #count;
                #[cfg_attr(not(any(windows, target_vendor = "apple")), unsafe(link_section = ".llext.slids"))]
                static __LLEXT_ENTRIES: [#llext::export::SlidExport; __LLEXT_COUNT] = #llext::export::ascending_slids(#entries);
                #llext::export::SlidTable::new(&__LLEXT_ENTRIES)
            };
        }
    }

    /// The static, given how many entries it has, their hashes and themselves.
    fn of(&self, count: &TokenStream, hashes: &TokenStream, entries: &TokenStream) -> TokenStream {
        let Self { llext, about, visibility, name, .. } = self;
        quote! {
            #(#about)*
            #visibility static #name: #llext::export::ExportTable = {
                const __LLEXT_COUNT: ::core::primitive::usize = #count;
                static __LLEXT_HASHES: [::core::primitive::u32; __LLEXT_COUNT] = #llext::export::ascending(#hashes);
                #[cfg_attr(not(any(windows, target_vendor = "apple")), unsafe(link_section = ".llext.exports"))]
                static __LLEXT_ENTRIES: [#llext::export::Export; __LLEXT_COUNT] = #entries;
                #llext::export::ExportTable::new(&__LLEXT_HASHES, &__LLEXT_ENTRIES)
            };
        }
    }
}

impl Item {
    /// One element of a list, which is there if the item is.
    fn conditional(&self, element: TokenStream) -> TokenStream {
        let conditions = conditions(&self.about);
        quote!(#(#conditions)* #element)
    }

    /// The entry of a table of names.
    fn entry(&self, llext: &Ident) -> TokenStream {
        let (name, address) = (self.name.literal(), self.address());
        quote!(#llext::export::Export::new(#name, #address))
    }

    /// The address of the item, once it has been compared with what it is listed as.
    fn address(&self) -> TokenStream {
        let Self { about, kind, path, .. } = self;
        let about = about.iter().filter(|on| !on.path().is_ident("cfg") && !on.path().is_ident("doc"));
        let (ty, address) = match kind {
            Kind::Function { parameters, result } => {
                (quote!(unsafe extern "C" fn(#parameters) #result), quote!(#path))
            }
            Kind::Object(ty) => (quote!(*const #ty), quote!(&raw const #path)),
        };
        quote!({
            #(#about)*
            let __llext_item: #ty = #address;
            __llext_item as *const ()
        })
    }
}

/// Items in ascending order of the hashes of their names. Two may only be equal where a `#[cfg]` can leave one out.
pub(crate) fn in_order<T>(items: &[T], facts: impl Fn(&T) -> (&Name, &[Attribute])) -> Result<Vec<&T>> {
    let mut sorted: Vec<&T> = items.iter().collect();
    sorted.sort_by_key(|item| facts(item).0.hash);
    for pair in sorted.windows(2) {
        let ((one, about_one), (other, about_other)) = (facts(pair[0]), facts(pair[1]));
        let conditional = conditions(about_one).chain(conditions(about_other)).next().is_some();
        if one.hash == other.hash && !conditional {
            return Err(one.clash(other));
        }
    }
    Ok(sorted)
}

/// The attributes that say whether an item exists.
pub(crate) fn conditions(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"))
}

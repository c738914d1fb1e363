//! `interface!`: declarations for the extension and a trait for the host, from one list.
//!
//! The trait carries its own table, in types of `core` and in the order of the hashes: so the crate with the interface depends on
//! no run time, no feature says which side it is built for, and the compiler names what an implementation lacks.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, Ident, Result, Signature, Token, Type, Visibility};

use crate::exports::{conditions, in_order};
use crate::name::Name;

pub(crate) fn expand(declaration: TokenStream) -> Result<TokenStream> {
    let interface: Interface = syn::parse2(declaration)?;
    let declarations = interface.declarations();
    let host = interface.host()?;
    Ok(quote!(#declarations #host))
}

struct Interface {
    about: Vec<Attribute>,
    visibility: Visibility,
    name: Ident,
    items: Vec<Item>,
}

struct Item {
    about: Vec<Attribute>,
    name: Name,
    kind: Kind,
}

enum Kind {
    Function(Signature),
    Object(Ident, Type),
}

impl Parse for Interface {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let about = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        input.parse::<Token![trait]>()?;
        let name = input.parse()?;
        input.parse::<Token![;]>()?;
        let mut items = Vec::new();
        while !input.is_empty() {
            items.push(input.parse()?);
        }
        Ok(Self { about, visibility, name, items })
    }
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let about = input.call(Attribute::parse_outer)?;
        let kind = if input.peek(Token![static]) { object(input)? } else { function(input)? };
        input.parse::<Token![;]>()?;
        let (Kind::Function(Signature { ident, .. }) | Kind::Object(ident, _)) = &kind;
        Ok(Self { about, name: Name::new(ident), kind })
    }
}

fn object(input: ParseStream<'_>) -> Result<Kind> {
    input.parse::<Token![static]>()?;
    if let Some(mutable) = input.parse::<Option<Token![mut]>>()? {
        return Err(Error::new_spanned(
            mutable,
            "a static both sides use is shared: give it an atomic type, or a lock's",
        ));
    }
    let name = input.parse()?;
    input.parse::<Token![:]>()?;
    Ok(Kind::Object(name, input.parse()?))
}

fn function(input: ParseStream<'_>) -> Result<Kind> {
    let signature: Signature = input.parse()?;
    if let Some(abi) = &signature.abi {
        return Err(Error::new_spanned(abi, "functions of an interface have the C ABI: leave it out"));
    }
    if let Some(variadic) = &signature.variadic {
        return Err(Error::new_spanned(variadic, "a host cannot implement a variadic function in Rust"));
    }
    if let Some(receiver) = signature.receiver() {
        return Err(Error::new_spanned(receiver, "functions of an interface have no `self`"));
    }
    if signature.generics.type_params().next().is_some() || signature.generics.const_params().next().is_some()
    {
        return Err(Error::new_spanned(&signature.generics, "functions of an interface cannot be generic"));
    }
    if signature.asyncness.is_some() || signature.constness.is_some() {
        return Err(Error::new_spanned(
            &signature,
            "functions of an interface are plain: not `async`, not `const`",
        ));
    }
    Ok(Kind::Function(signature))
}

impl Interface {
    /// What extensions see.
    fn declarations(&self) -> TokenStream {
        let visibility = &self.visibility;
        let items = self.items.iter().map(|item| item.declaration(visibility));
        quote!(unsafe extern "C" { #(#items)* })
    }

    /// What hosts see.
    fn host(&self) -> Result<TokenStream> {
        let Self { about, visibility, name, items } = self;
        let required = items.iter().map(Item::required);
        let sorted = in_order(items, |item| (&item.name, &item.about))?;
        let exports = sorted.into_iter().map(Item::export);
        Ok(quote! {
            #(#about)*
            #visibility trait #name {
                #(#required)*

                /// The GNU hash of its name, the name and the address of every item above, in the order of the hashes: for
                /// `llext::exports!`, and not to be implemented.
                const EXPORTS: &'static [(u32, &'static ::core::ffi::CStr, *const ())] = &[#(#exports),*];
            }
        })
    }
}

impl Item {
    fn declaration(&self, visibility: &Visibility) -> TokenStream {
        let about = &self.about;
        match &self.kind {
            Kind::Function(signature) => {
                let safe = signature.unsafety.is_none().then(|| quote!(safe));
                quote!(#(#about)* #visibility #safe #signature;)
            }
            Kind::Object(name, ty) => quote!(#(#about)* #visibility safe static #name: #ty;),
        }
    }

    fn required(&self) -> TokenStream {
        let about = &self.about;
        match &self.kind {
            Kind::Function(Signature { unsafety, ident, generics, inputs, output, .. }) => {
                quote!(#(#about)* #unsafety extern "C" fn #ident #generics (#inputs) #output;)
            }
            Kind::Object(name, ty) => quote!(#(#about)* const #name: &'static #ty;),
        }
    }

    fn export(&self) -> TokenStream {
        let conditions = conditions(&self.about);
        let (hash, name) = (self.name.hash, self.name.literal());
        let address = match &self.kind {
            Kind::Function(Signature { ident, .. }) => quote!(Self::#ident as *const ()),
            Kind::Object(name, _) => quote!((&raw const *Self::#name).cast()),
        };
        quote!(#(#conditions)* (#hash, #name, #address))
    }
}

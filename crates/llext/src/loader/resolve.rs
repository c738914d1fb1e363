//! Who provides what a file does not define: the run time itself, the host, then other extensions.

use super::Listener;
use super::load::Word;
use super::providers::Providers;
use crate::error::Error;
use crate::export::{BATCH, Exports, SymbolName};
use crate::lock::RawMutex;
use crate::memory::Memory;
use crate::native::Native;
use llext_link::Error as LinkError;
use llext_link::addr::SymbolIndex;
use llext_link::elf::symbol::Symbols;
use llext_link::error::Name;
use llext_link::symbol::{Query, Resolve, View};

/// Everybody but the run time, and who hears what nobody provides.
pub(super) struct Others<'a, 'r, 'l, M: Memory, R: RawMutex, const N: usize> {
    pub(super) host: &'a dyn Exports,
    /// The groups of its symbols that may be used, if not all.
    pub(super) allowed: Option<&'a [&'a str]>,
    pub(super) providers: &'a mut Providers<'r, M, R, N>,
    pub(super) missing: &'a mut Option<Listener<'l>>,
}

impl<M: Memory, R: RawMutex, const N: usize> Others<'_, '_, '_, M, R, N> {
    /// Resolves symbols as far as the budget goes; true when all are done. `own` is what the run time provides itself;
    /// where it says `Some(None)`, nobody else may.
    pub(super) fn resolve(
        self,
        resolve: &mut Resolve,
        view: &View<'_, Native>,
        values: &mut [Word],
        budget: &mut u32,
        own: &dyn Fn(&[u8]) -> Option<Option<u64>>,
    ) -> Result<bool, Error> {
        let Self { host, allowed, providers, missing } = self;
        let mut denied = None;
        let mut lookup = |queries: &[Query<'_>], found: &mut [Option<u64>]| {
            ask(queries, found, own, (host, allowed), providers, &mut denied);
        };
        let mut hear = |name: &[u8]| {
            if let Some(listener) = missing {
                listener(name);
            }
        };
        let done = resolve.step(view, values, *budget, &mut lookup, &mut hear)?;
        if let Some(denied) = denied {
            return Err(denied);
        }
        *budget = budget.saturating_sub(view.symbols.len().max(1));
        Ok(done)
    }
}

/// Asks for a batch of names; `denied` becomes the first symbol that is there and not allowed.
fn ask<M: Memory, R: RawMutex, const N: usize>(
    queries: &[Query<'_>],
    found: &mut [Option<u64>],
    own: &dyn Fn(&[u8]) -> Option<Option<u64>>,
    (host, allowed): (&dyn Exports, Option<&[&str]>),
    providers: &mut Providers<'_, M, R, N>,
    denied: &mut Option<Error>,
) {
    let mut names = [SymbolName::new(b""); BATCH];
    let mut addresses = [None; BATCH];
    for (name, query) in names.iter_mut().zip(queries) {
        *name = SymbolName {
            bytes: query.name,
            hash: query.hash,
            #[cfg(feature = "slid")]
            slid: query.slid as usize,
        };
    }
    let names = names.get(..queries.len()).unwrap_or_default();
    match (names, &mut addresses[..]) {
        ([name], [address]) => *address = host.address(name),
        (names, addresses) => host.addresses(names, addresses.get_mut(..names.len()).unwrap_or_default()),
    }
    for (((name, query), address), found) in names.iter().zip(queries).zip(&addresses).zip(found) {
        *found = match own(name.bytes) {
            Some(own) => own,
            None if address.is_some() && allowed.is_some_and(|allowed| !may_use(host, name, allowed)) => {
                // A weak symbol is a question: the answer is no.
                if !query.weak && denied.is_none() {
                    let group = host.group(name).unwrap_or_default();
                    *denied = Some(Error::Denied { name: Name::new(name.bytes), group });
                }
                None
            }
            None => address.or_else(|| providers.find(name)).map(|address| address as u64),
        };
        #[cfg(feature = "slid")]
        if denied.is_none() && own(name.bytes).is_none() {
            *denied = mixed(host, name, found.is_some());
        }
    }
}

/// What is wrong if the file names the symbol by its SLID and the host by its name, or the other way round. A weak symbol
/// is no excuse: it would silently be 0.
#[cfg(feature = "slid")]
fn mixed(host: &dyn Exports, name: &SymbolName<'_>, found: bool) -> Option<Error> {
    let about = || Name::new(name.bytes);
    match (name.slid != 0, host.has_slids()) {
        (true, false) => Some(Error::UnexpectedSlid { name: about() }),
        (false, true) if !found => Some(Error::WithoutSlid { name: about() }),
        _ => None,
    }
}

/// Asks for one name, as [`Others::resolve`] does for many; the run time itself provides nothing here.
pub(super) fn find_one<M: Memory, R: RawMutex, const N: usize>(
    others: Others<'_, '_, '_, M, R, N>,
    name: &SymbolName<'_>,
) -> Result<Option<u64>, Error> {
    let Others { host, allowed, providers, missing } = others;
    let query = Query {
        name: name.bytes,
        hash: name.hash,
        weak: false,
        #[cfg(feature = "slid")]
        slid: 0,
    };
    let (mut found, mut denied) = ([None], None);
    ask(&[query], &mut found, &|_| None, (host, allowed), providers, &mut denied);
    if let Some(denied) = denied {
        return Err(denied);
    }
    let [found] = found;
    if let (None, Some(listener)) = (found, missing) {
        listener(name.bytes);
    }
    Ok(found)
}

/// Whether a symbol of the host's is in no group or in one of those.
fn may_use(host: &dyn Exports, name: &SymbolName<'_>, allowed: &[&str]) -> bool {
    host.group(name).is_none_or(|group| allowed.contains(&group))
}

/// The error with the name of the symbol it is about.
#[cold]
#[inline(never)]
pub(super) fn with_name(error: &LinkError, symbols: &Symbols<'_, Native>) -> Error {
    let mut error = *error;
    if let Some(about) = error.symbol_mut() {
        let index = SymbolIndex(about.index);
        let name = symbols.get(index).and_then(|symbol| symbols.name(index, &symbol));
        about.name = name.map_or(Name::EMPTY, Name::new);
    }
    error.into()
}

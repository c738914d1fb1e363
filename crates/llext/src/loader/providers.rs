//! The live extensions whose symbols a load uses or may use: each is held from the moment it is chosen.

use crate::error::Error;
use crate::export::SymbolName;
use crate::lock::RawMutex;
use crate::memory::Memory;
use crate::registry::{Handle, Registry};

/// The providers of a load, in the order in which they are asked. They cannot go meanwhile.
pub(super) struct Providers<'r, M: Memory, R: RawMutex, const N: usize> {
    registry: &'r Registry<M, R, N>,
    all: [Provider; N],
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Provider {
    slot: usize,
    /// Whether the extension depends on it: it was named, or provides a symbol. Else it may yet provide one.
    is_needed: bool,
}

/// Why an extension cannot be a provider.
#[derive(Clone, Copy)]
pub(super) enum Refusal {
    Foreign,
    TooManyUses,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Foreign => Self::ForeignProvider,
            Refusal::TooManyUses => Self::TooManyUses,
        }
    }
}

impl<'r, M: Memory, R: RawMutex, const N: usize> Providers<'r, M, R, N> {
    pub(super) fn new(registry: &'r Registry<M, R, N>) -> Self {
        Self { registry, all: [Provider { slot: 0, is_needed: false }; N], len: 0 }
    }

    fn all(&mut self) -> &mut [Provider] {
        self.all.get_mut(..self.len).unwrap_or_default()
    }

    /// Takes over a hold on the extension in `slot`.
    fn add(&mut self, slot: usize, is_needed: bool) {
        if let Some(known) = self.all().iter_mut().find(|provider| provider.slot == slot) {
            known.is_needed |= is_needed;
            self.registry.unpin(slot);
        } else if let Some(free) = self.all.get_mut(self.len) {
            // There is always one free: a registry has no more slots than this has places.
            *free = Provider { slot, is_needed };
            self.len += 1;
        }
    }

    /// Depends on a live extension.
    pub(super) fn need(&mut self, provider: &Handle<'r, M, R, N>) -> Result<(), Refusal> {
        if !provider.is_of(self.registry) {
            return Err(Refusal::Foreign);
        }
        self.registry.pin(provider.slot()).map_err(|_| Refusal::TooManyUses)?;
        self.add(provider.slot(), true);
        Ok(())
    }

    /// Depends on what `user` depends on.
    #[cfg(feature = "reset")]
    pub(super) fn need_as(&mut self, user: &Handle<'r, M, R, N>) -> Result<(), Error> {
        let registry = self.registry;
        registry.pin_providers_of(user, |slot| self.add(slot, true))
    }

    /// Depends on the live extension that is called, or calls itself, `soname`; whether there is one.
    pub(super) fn need_called(&mut self, soname: &[u8]) -> Result<bool, Error> {
        let pinned = self.registry.pin_called(soname)?;
        pinned.into_iter().for_each(|slot| self.add(slot, true));
        Ok(pinned.is_some())
    }

    /// Every live extension may provide symbols: in load order, after those that are named.
    pub(super) fn search_live(&mut self) {
        let mut after = 0;
        while let Some((order, slot)) = self.registry.pin_next(after) {
            after = order;
            self.add(slot, false);
        }
    }

    /// The address of a symbol, from the first that exports it.
    pub(super) fn find(&mut self, name: &SymbolName<'_>) -> Option<usize> {
        let registry = self.registry;
        self.all().iter_mut().find_map(|provider| {
            let address = registry.export_of(provider.slot, name)?;
            provider.is_needed = true;
            Some(address)
        })
    }

    /// Lets those go that provided nothing. Each leaves the list before it is let go: what goes then may run a hook of the
    /// host's, which may panic, and nothing is let go twice.
    pub(super) fn settle(&mut self) {
        let mut at = 0;
        while let Some(provider) = self.all().get(at).copied() {
            if provider.is_needed {
                at += 1;
                continue;
            }
            let last = self.all().last().copied().unwrap_or(provider);
            self.all().get_mut(at).into_iter().for_each(|place| *place = last);
            self.len -= 1;
            self.registry.unpin(provider.slot);
        }
    }

    pub(super) fn release(&mut self) {
        while let Some(last) = self.len.checked_sub(1) {
            self.len = last;
            let slot = self.all.get(last).map(|provider| provider.slot);
            slot.into_iter().for_each(|slot| self.registry.unpin(slot));
        }
    }

    /// The slots of the providers, whose holds are the extension's from here on.
    pub(super) fn hand_over(&mut self) -> [bool; N] {
        let mut slots = [false; N];
        for provider in self.all().iter() {
            if let Some(slot) = slots.get_mut(provider.slot) {
                *slot = true;
            }
        }
        self.len = 0;
        slots
    }
}

impl<M: Memory, R: RawMutex, const N: usize> Drop for Providers<'_, M, R, N> {
    fn drop(&mut self) {
        self.release();
    }
}

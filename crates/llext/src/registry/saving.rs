//! Writing down what is linked.

use super::saved::{Contents, Header, MAGIC, Record, Writer};
use super::{ExportView, Extension, Registry, State};
use crate::error::Error;
use crate::export::Exports;
use crate::lifecycle::{self, Context, Functions, Phase, Provided};
use crate::lock::RawMutex;
use crate::memory::{Block, Part, Pool};
use core::ptr::NonNull;
use zerocopy::IntoBytes;

/// How far an extension has come, by the number that is written down.
pub(super) const PHASES: [Phase; 4] = [Phase::Loaded, Phase::Up, Phase::Failed, Phase::Down];

/// The number that stands for all that extensions may have been linked against: what the host exports, and what the run
/// time provides.
pub(super) fn fingerprint<R: RawMutex>(host: &dyn Exports) -> Result<u64, Error> {
    let own = lifecycle::bound::<R>().map(|function| (0, function));
    let finalize = match lifecycle::provided::<R>(b"__cxa_finalize") {
        Some(Provided::Plain(address)) => address,
        _ => 0,
    };
    let host = host.fingerprint().ok_or(Error::UnknownExports)?;
    Ok(crate::export::fingerprint(own.into_iter().chain([(host, finalize)])))
}

impl<'a, R: RawMutex, const N: usize> Registry<Pool<'a>, R, N> {
    /// What the run time is built as.
    pub(super) const BUILD: [usize; 3] = [N, size_of::<Extension<Pool<'a>, R, N>>(), size_of::<Context<R>>()];

    /// Writes down what is linked; how many bytes that are.
    ///
    /// # Safety
    /// Nobody uses the registry or its extensions meanwhile.
    pub(crate) unsafe fn save(
        &self,
        host: &dyn Exports,
        contents: Contents,
        into: &mut [u8],
    ) -> Result<usize, Error> {
        let exports = fingerprint::<R>(host)?.to_ne_bytes();
        self.all_settled()?;
        let (mut after, mut count, mut writer) = (0, 0, Writer::new(into));
        while let Some((order, slot, extension)) = self.table.with(|table| {
            let (slot, entry) = table.next(after, u64::MAX)?;
            Some((entry.order, slot, entry.extension?))
        }) {
            // SAFETY: the caller keeps the extension.
            unsafe { self.write(slot, extension, contents, &mut writer)? };
            (after, count) = (order, count + 1);
        }
        let slices = self.memory.with(|pool| pool.slices());
        let (build, contents) = (Self::BUILD, contents as usize);
        writer.end(Header { magic: MAGIC, digest: [0; 8], exports, len: 0, build, contents, count, slices })
    }

    /// Nothing may come up, go, or be kept by what is not written down.
    fn all_settled(&self) -> Result<(), Error> {
        for slot in 0..N {
            let status = self.statuses(slot).filter(|status| status.state != State::Empty);
            let Some(status) = status else { continue };
            if status.state != State::Live {
                let name = self.table.with(|table| table.entries.get(slot).map(|entry| entry.name));
                return Err(Error::Busy { name: name.unwrap_or(crate::error::Name::EMPTY) });
            }
            if status.holds as usize > self.dependents(slot).count() {
                return Err(self.in_use(slot));
            }
        }
        Ok(())
    }

    /// Refuses an extension that uses what would be lost.
    fn check_lasts(&self, linked: &Extension<Pool<'a>, R, N>) -> Result<(), Error> {
        let unsaved = |what| Err(Error::Unsaved { name: linked.name(), what });
        let places = linked.addresses.into_iter().zip(linked.block.addresses()).zip(linked.sizes);
        let elsewhere = places.filter(|((address, own), size)| *size > 0 && address != own).count();
        if linked.in_place.1 > 0 || elsewhere > 0 {
            return unsaved("bytes outside the pool that it uses in place");
        }
        if linked.context().owned(0).is_some() {
            return unsaved("host objects that are tied to it");
        }
        if exits_of(linked).any(|[function, _]| self.find_at(function).is_none()) {
            return unsaved("destructors of the host's that it registered");
        }
        Ok(())
    }

    /// # Safety
    /// As for [`Registry::save`]; the extension is the one in the slot.
    unsafe fn write(
        &self,
        slot: usize,
        extension: NonNull<Extension<Pool<'a>, R, N>>,
        contents: Contents,
        writer: &mut Writer<'_>,
    ) -> Result<(), Error> {
        // SAFETY: the caller keeps the extension.
        let linked = unsafe { extension.as_ref() };
        self.check_lasts(linked)?;
        let context = linked.context();
        let phase = PHASES.iter().position(|phase| *phase == context.phase());
        let phase = phase.ok_or(Error::Busy { name: context.name })?;
        let exits = || exits_of(linked);
        let data = linked.addresses[Part::Data as usize];
        let record_at = extension.addr().get() - data;
        let sizes = linked.sizes.map(|size| size as usize);
        let variables = record_at + size_of::<Extension<Pool<'a>, R, N>>();
        let constant = linked.exports.constant();
        // SAFETY: the loader initialised all of it, and the caller keeps it.
        let digest = unsafe { contents.digest(&linked.block, sizes, constant, variables) };
        let identity = self.table.with(|table| table.entries.get(slot)?.identity);
        let record = Record {
            name: packed(context.name.as_bytes()),
            identity: identity.map_or([[0; 8]; 5], |identity| identity.numbers().map(u64::to_ne_bytes)),
            contents: digest.to_ne_bytes(),
            identified: identity.is_some().into(),
            phase,
            taken: linked.block.taken(),
            sizes,
            context: linked.context.addr().get() - data,
            record: record_at,
            exports: numbers(&linked.exports),
            arrays: [linked.lifecycle.preinit, linked.lifecycle.init, linked.lifecycle.fini]
                .map(|Functions { start, count }| [start, count]),
            functions: [
                linked.lifecycle.first,
                linked.lifecycle.last,
                linked.lifecycle.start,
                linked.lifecycle.stop,
            ]
            .map(Option::unwrap_or_default),
            initial: initial(linked),
            soname: linked.soname.map_or([0; 2], |(start, len)| [start, len]),
            providers: linked.providers.iter().filter(|is_provider| **is_provider).count(),
            exits: exits().count(),
        };
        writer.write(record.as_bytes());
        for (provider, _) in linked.providers.iter().enumerate().filter(|(_, is_provider)| **is_provider) {
            writer.write(self.number_of(provider).as_bytes());
        }
        exits().for_each(|exit| writer.write(exit.as_bytes()));
        Ok(())
    }

    /// How many extensions came before the one in `slot`.
    fn number_of(&self, slot: usize) -> usize {
        self.table.with(|table| {
            let order = table.entries.get(slot).map_or(0, |entry| entry.order);
            table.entries.iter().filter(|entry| entry.extension.is_some() && entry.order < order).count()
        })
    }
}

/// The destructors that an extension registered: function and argument.
fn exits_of<R: RawMutex, const N: usize>(
    linked: &Extension<Pool<'_>, R, N>,
) -> impl Iterator<Item = [usize; 2]> {
    (0..).map_while(|index| linked.context().exit(index))
}

/// A name, its length first.
fn packed(name: &[u8]) -> [u8; 1 + super::MAX_NAME] {
    let mut packed = [0; 1 + super::MAX_NAME];
    let (len, bytes) = packed.split_at_mut(1);
    len.fill(name.len() as u8);
    bytes.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
    packed
}

fn numbers(exports: &ExportView) -> [usize; 5] {
    match exports {
        ExportView::Table { entries, buckets } => [0, entries.0, entries.1, buckets.0, buckets.1],
        ExportView::Dynamic { tables, constant, bias, .. } => {
            [1, *bias, *constant, tables.section.offset as usize, tables.section.size as usize]
        }
    }
}

#[cfg(feature = "reset")]
fn initial<R: RawMutex, const N: usize>(linked: &Extension<Pool<'_>, R, N>) -> [usize; 5] {
    linked.initial.map_or([0; 5], |super::Initial { kept, variables, end }| {
        [1, kept as usize, variables.offset as usize, variables.size as usize, end as usize]
    })
}

#[cfg(not(feature = "reset"))]
fn initial<R: RawMutex, const N: usize>(_: &Extension<Pool<'_>, R, N>) -> [usize; 5] {
    [0; 5]
}

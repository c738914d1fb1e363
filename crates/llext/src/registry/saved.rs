//! What is written down of linked extensions: a header, then a record of each in load order, and after each record the
//! numbers of its providers and its registered destructors. All is in the processor's own words, for the same program.

use super::MAX_NAME;
use crate::digest::Digest;
use crate::error::Error;
use crate::memory::{Part, PoolBlock, Taken};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// How much of what the memory holds is compared when extensions are restored, by a digest that is written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Contents {
    /// Nothing: the caller trusts the memory.
    #[default]
    Trusted,
    /// Code and constants.
    Constant,
    /// The variables as well: so nothing of the extensions runs between saving and restoring.
    All,
}

impl Contents {
    const ALL: [Self; 3] = [Self::Trusted, Self::Constant, Self::All];

    pub(super) fn of(number: usize) -> Option<Self> {
        Self::ALL.get(number).copied()
    }

    /// The digest of an extension's contents: its image is constant up to `constant`, and its own variables begin at
    /// `variables` in the data.
    ///
    /// # Safety
    /// The block's bytes up to `sizes` are initialised, the record apart, and nobody writes them meanwhile.
    pub(super) unsafe fn digest(
        self,
        block: &PoolBlock<'_>,
        sizes: [usize; 4],
        constant: usize,
        variables: usize,
    ) -> u64 {
        let [image, code, constants, data] = sizes;
        let constant = if self == Self::All { image } else { constant };
        let ranges = match self {
            Self::Trusted => return 0,
            Self::Constant => [0..constant, 0..code, 0..constants, 0..0],
            Self::All => [0..constant, 0..code, 0..constants, variables..data],
        };
        let parts = Part::ALL.into_iter().zip(ranges);
        // SAFETY: the caller keeps them.
        parts
            .fold(Digest::NEW, |digest, (part, range)| digest.bytes(unsafe { block.bytes(part, range) }))
            .number()
    }
}

/// The first bytes: what it is, the version of this form, and the size of a word.
pub(super) const MAGIC: [u8; 8] = [b'l', b'l', b'e', b'x', b't', b's', 1, size_of::<usize>() as u8];

/// What all of it begins with.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Header {
    pub(super) magic: [u8; 8],
    /// Of all bytes that follow it.
    pub(super) digest: [u8; 8],
    /// The fingerprint of what the host exports.
    pub(super) exports: [u8; 8],
    /// The size of all of it, bytes.
    pub(super) len: usize,
    /// What the run time was built as: the slots of the registry, the size of a record and of a context.
    pub(super) build: [usize; 3],
    /// How much of the contents was digested.
    pub(super) contents: usize,
    /// How many extensions there are.
    pub(super) count: usize,
    /// The memory: where each slice begins, its size, how far above that it is run.
    pub(super) slices: [[usize; 3]; 2],
}

impl Header {
    /// The digest of `all`, which begins with a header.
    pub(super) fn digest_of(all: &[u8]) -> u64 {
        Digest::NEW.bytes(all.get(16..).unwrap_or_default()).number()
    }
}

/// What is written down of one extension. Addresses are run addresses.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Record {
    /// The length of its name, and the name.
    pub(super) name: [u8; 1 + MAX_NAME],
    pub(super) identity: [[u8; 8]; 5],
    /// The digest of its contents.
    pub(super) contents: [u8; 8],
    /// Whether it has an identity.
    pub(super) identified: usize,
    pub(super) phase: usize,
    pub(super) taken: Taken,
    pub(super) sizes: [usize; 4],
    /// Where in its data its context and its record lie.
    pub(super) context: usize,
    pub(super) record: usize,
    /// A table: 0, address and number of entries, address and number of buckets. Dynamic symbols: 1, how far it lies from
    /// where it was linked, the size of its constant beginning, offset and size of the dynamic section.
    pub(super) exports: [usize; 5],
    /// Address and number of preinit, init and fini functions.
    pub(super) arrays: [[usize; 2]; 3],
    /// `DT_INIT`, `DT_FINI`, `llext_init` and `llext_fini`; 0 for one that is not there.
    pub(super) functions: [usize; 4],
    /// Whether there is a copy of its variables; where, and offset, size and end of what it is a copy of.
    pub(super) initial: [usize; 5],
    /// Address and length of its `DT_SONAME`.
    pub(super) soname: [usize; 2],
    /// How many providers and destructors follow.
    pub(super) providers: usize,
    pub(super) exits: usize,
}

const WORD: usize = size_of::<usize>();

/// A record, and what follows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saved<'s> {
    pub(super) record: Record,
    providers: &'s [u8],
    exits: &'s [u8],
}

impl<'s> Saved<'s> {
    pub(super) fn name(&self) -> Option<&str> {
        let (len, name) = self.record.name.split_first()?;
        core::str::from_utf8(name.get(..usize::from(*len))?).ok().filter(|name| !name.is_empty())
    }

    /// The numbers of the extensions that it depends on, in load order.
    pub(super) fn providers(&self) -> impl Iterator<Item = usize> + use<'s> {
        self.providers.chunks_exact(WORD).map(word)
    }

    /// The destructors that it registered: function and argument.
    pub(super) fn exits(&self) -> impl Iterator<Item = [usize; 2]> + use<'s> {
        self.exits.chunks_exact(2 * WORD).map(|exit| {
            let (function, argument) = exit.split_at(WORD);
            [word(function), word(argument)]
        })
    }
}

/// The records, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Records<'s> {
    rest: &'s [u8],
}

impl<'s> Iterator for Records<'s> {
    type Item = Saved<'s>;

    fn next(&mut self) -> Option<Saved<'s>> {
        let (record, rest) = Record::read_from_prefix(self.rest).ok()?;
        let (providers, rest) = rest.split_at_checked(record.providers.checked_mul(WORD)?)?;
        let (exits, rest) = rest.split_at_checked(record.exits.checked_mul(2 * WORD)?)?;
        self.rest = rest;
        Some(Saved { record, providers, exits })
    }
}

/// The saved bytes, whole and undamaged, as far as they can tell themselves.
pub(super) fn open(saved: &[u8]) -> Result<(Header, Records<'_>), Error> {
    let bad = |what| Error::BadSaved { what, number: 0 };
    let (header, _) = Header::read_from_prefix(saved).map_err(|_| bad("length"))?;
    if header.magic != MAGIC {
        return Err(bad("beginning"));
    }
    let all = saved.get(..header.len).ok_or(bad("length"))?;
    if header.digest != Header::digest_of(all).to_ne_bytes() {
        return Err(bad("digest"));
    }
    let records = Records { rest: all.get(size_of::<Header>()..).ok_or(bad("length"))? };
    let mut last = records;
    if last.by_ref().count() != header.count || !last.rest.is_empty() {
        return Err(bad("number of extensions"));
    }
    Ok((header, records))
}

fn word(bytes: &[u8]) -> usize {
    bytes.first_chunk().map_or(0, |word| usize::from_ne_bytes(*word))
}

/// Bytes written one after the other, and counted where there is no room for them.
pub(super) struct Writer<'s> {
    into: &'s mut [u8],
    at: usize,
}

impl<'s> Writer<'s> {
    /// With room for a header at the beginning.
    pub(super) fn new(into: &'s mut [u8]) -> Self {
        Self { into, at: size_of::<Header>() }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        let room = self.into.get_mut(self.at..).and_then(|room| room.get_mut(..bytes.len()));
        if let Some(room) = room {
            room.copy_from_slice(bytes);
        }
        self.at += bytes.len();
    }

    /// Ends with the header, which stands first; how many bytes there are.
    pub(super) fn end(self, header: Header) -> Result<usize, Error> {
        let (wanted, available) = (self.at, self.into.len());
        let small = Error::SaveTooSmall { wanted: wanted as u32, available: available as u32 };
        let all = self.into.get_mut(..wanted).ok_or(small)?;
        let header = Header { len: wanted, ..header };
        header.write_to_prefix(all).map_err(|_| small)?;
        let digest = Header::digest_of(all).to_ne_bytes();
        Header { digest, ..header }.write_to_prefix(all).map_err(|_| small)?;
        Ok(wanted)
    }
}

//! One section on the bench: its bytes, the symbols it uses, and its relocations.

use llext_link::Error;
use llext_link::addr::Word as _;
use llext_link::arch::{Arch, Field, arm, x86};
use llext_link::elf::relocation::Relocations;
use llext_link::elf::section::Role;
use llext_link::elf::{Elf32Le, Elf64Le, Format};
use llext_link::relocate::{Ended, Linker, PairState, Pairs, Target, Upper};
use llext_link::veneer::{Area, Slot};

/// A relocation: offset, type, symbol, addend.
pub(crate) type Record = (u64, u32, u32, i64);

/// Where the section, the GOT and the stubs lie unless a test says otherwise.
pub(crate) const CODE: u64 = 0x1000_0000;
pub(crate) const GOT: u64 = 0x1800_0000;
pub(crate) const STUBS: u64 = 0x1008_0000;

pub(crate) struct Bench {
    pub(crate) arch: &'static Arch,
    /// The addresses of symbols 1 and up.
    pub(crate) symbols: Vec<u64>,
    pub(crate) section: Vec<u8>,
    pub(crate) address: u64,
    pub(crate) relocations: Vec<Record>,
    /// How many records come at once.
    pub(crate) batch: usize,
    /// How many stubs there is room for.
    pub(crate) stubs: usize,
    /// Where the host's thread-local block begins.
    pub(crate) thread: Option<u64>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Linked {
    pub(crate) section: Vec<u8>,
    pub(crate) got: Vec<u8>,
    pub(crate) stubs: Vec<u8>,
    /// How many records were looked at.
    pub(crate) steps: usize,
    /// How many wait until the image can run.
    pub(crate) deferred: u32,
}

/// The section of these instructions, with these relocations.
pub(crate) fn bench(arch: &'static Arch, symbols: &[u64], section: &[u8], relocations: &[Record]) -> Bench {
    let (symbols, section, relocations) = (symbols.to_vec(), section.to_vec(), relocations.to_vec());
    Bench { arch, symbols, section, address: CODE, relocations, batch: usize::MAX, stubs: 0, thread: None }
}

/// The bytes of instructions of four bytes.
pub(crate) fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

impl Bench {
    /// Links the section, or says why not and how far that came.
    pub(crate) fn link(&self) -> Result<Linked, (Error, Vec<u8>)> {
        let howtos = self.relocations.iter().filter_map(|(_, r_type, ..)| self.arch.howto(*r_type));
        self.link_with_uppers(howtos.filter(|howto| matches!(howto.field, Field::Upper(_))).count())
    }

    /// The same with room for so many upper parts.
    pub(crate) fn link_with_uppers(&self, uppers: usize) -> Result<Linked, (Error, Vec<u8>)> {
        let mut section = self.section.clone();
        let linked = if self.arch.format[0] == 1 {
            self.link_as::<Elf32Le>(&mut section, uppers)
        } else {
            self.link_as::<Elf64Le>(&mut section, uppers)
        };
        linked.map_err(|error| (error, section))
    }

    /// The section, linked.
    #[track_caller]
    pub(crate) fn linked(&self) -> Vec<u8> {
        self.link().unwrap().section
    }

    /// Why it cannot be linked; nothing was written.
    #[track_caller]
    pub(crate) fn refusal(&self) -> Error {
        let (error, section) = self.link().unwrap_err();
        assert_eq!(section, self.section, "{error}");
        error
    }

    fn link_as<F: Format>(&self, section: &mut [u8], uppers: usize) -> Result<Linked, Error> {
        let values: Vec<_> = [0].iter().chain(&self.symbols).map(|value| F::Word::of(*value)).collect();
        let mut got = vec![0; self.relocations.len() * F::Word::SIZE];
        let mut uppers = vec![Upper::default(); uppers];
        let mut slots = vec![Slot::default(); values.len()];
        let mut stubs = vec![0; self.stubs * self.arch.stub_len()];
        let mut linker = Linker::<F> {
            arch: self.arch,
            values: &values,
            symbols: None,
            slots: &mut slots,
            got: Area { bytes: &mut got, address: F::Word::of(GOT), used: 0 },
            stubs: Area { bytes: &mut stubs, address: F::Word::of(STUBS), used: 0 },
            index: &mut vec![0; self.stubs],
            pairs: Pairs { uppers: &mut uppers, state: PairState::default() },
            thread: self.thread.map(F::Word::of),
            bias: F::Word::default(),
            deferred: 0,
        };
        let address = F::Word::of(self.address);
        let mut target = Target { bytes: section, address, origin: F::Word::default() };
        let is_rel = [x86::ARCH.machine, arm::ARCH.machine].contains(&self.arch.machine);
        let role = if is_rel { Role::Rel } else { Role::Rela };
        let mut steps = 0;
        loop {
            for batch in self.relocations.chunks(self.batch) {
                let records: Vec<u8> = batch.iter().flat_map(|record| encode::<F>(record, is_rel)).collect();
                linker.apply(&mut target, Relocations::new(role, &records))?;
                steps += batch.len();
            }
            if linker.end(&mut target)? == Ended::Done {
                break;
            }
        }
        let (used_got, used_stubs) = (linker.got.used as usize, linker.stubs.used as usize);
        let deferred = linker.deferred;
        got.truncate(used_got);
        stubs.truncate(used_stubs);
        Ok(Linked { section: section.to_vec(), got, stubs, steps, deferred })
    }
}

pub(crate) fn encode<F: Format>((offset, r_type, symbol, addend): &Record, is_rel: bool) -> Vec<u8> {
    let shift = if F::CLASS == 1 { 8 } else { 32 };
    let info = u64::from(*symbol) << shift | u64::from(*r_type);
    let fields = [*offset, info, *addend as u64];
    let count = if is_rel { 2 } else { 3 };
    fields.iter().take(count).flat_map(|field| field.to_le_bytes()[..F::Word::SIZE].to_vec()).collect()
}

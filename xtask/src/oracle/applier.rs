//! The dynamic relocations once more, written over the `object` crate and the psABIs alone: a second opinion.

use std::collections::BTreeMap;

use object::{
    Object, ObjectSection, ObjectSegment, ObjectSymbol, ObjectSymbolTable, Relocation, RelocationFlags,
    RelocationTarget, SectionFlags, SymbolFlags, SymbolSection, elf,
};

use crate::error::{Result, bail};

/// A relocated image.
pub(super) struct Applied {
    pub(super) bytes: Vec<u8>,
    /// How often each type was applied.
    pub(super) types: BTreeMap<u32, usize>,
    /// Offset in the image, type and symbol of each.
    pub(super) log: Vec<(u64, String, String)>,
}

/// What a dynamic relocation stores.
#[derive(Clone, Copy)]
enum Value {
    /// Nothing, as things are: an indirect function is resolved when the image can run.
    Nothing,
    /// `B + A`
    Base,
    /// `S`
    Symbol,
    /// `S + A`
    SymbolPlus,
    /// `S + A - P`, 32 bits
    Distance,
}

/// The psABIs' tables for shared objects.
fn value(machine: elf::Machine, r_type: elf::RelocationType) -> Option<Value> {
    Some(match (machine, r_type) {
        (_, elf::RelocationType(0)) => Value::Nothing,
        (elf::EM_X86_64, elf::R_X86_64_64) => Value::SymbolPlus,
        (elf::EM_X86_64, elf::R_X86_64_GLOB_DAT | elf::R_X86_64_JUMP_SLOT) => Value::Symbol,
        (elf::EM_X86_64, elf::R_X86_64_RELATIVE) => Value::Base,
        (elf::EM_X86_64, elf::R_X86_64_IRELATIVE) => Value::Nothing,
        (elf::EM_X86_64, elf::R_X86_64_PC32) => Value::Distance,
        (elf::EM_386, elf::R_386_32) => Value::SymbolPlus,
        (elf::EM_386, elf::R_386_GLOB_DAT | elf::R_386_JMP_SLOT) => Value::Symbol,
        (elf::EM_386, elf::R_386_RELATIVE) => Value::Base,
        (elf::EM_386, elf::R_386_IRELATIVE) => Value::Nothing,
        (elf::EM_386, elf::R_386_PC32) => Value::Distance,
        (elf::EM_ARM, elf::R_ARM_ABS32) => Value::SymbolPlus,
        (elf::EM_ARM, elf::R_ARM_GLOB_DAT | elf::R_ARM_JUMP_SLOT) => Value::Symbol,
        (elf::EM_ARM, elf::R_ARM_RELATIVE) => Value::Base,
        (elf::EM_ARM, elf::R_ARM_IRELATIVE) => Value::Nothing,
        (elf::EM_ARM, elf::R_ARM_REL32) => Value::Distance,
        (elf::EM_AARCH64, elf::R_AARCH64_ABS64 | elf::R_AARCH64_GLOB_DAT | elf::R_AARCH64_JUMP_SLOT) => {
            Value::SymbolPlus
        }
        (elf::EM_AARCH64, elf::R_AARCH64_RELATIVE) => Value::Base,
        (elf::EM_AARCH64, elf::R_AARCH64_IRELATIVE) => Value::Nothing,
        (elf::EM_RISCV, elf::R_RISCV_32 | elf::R_RISCV_64) => Value::SymbolPlus,
        (elf::EM_RISCV, elf::R_RISCV_JUMP_SLOT) => Value::Symbol,
        (elf::EM_RISCV, elf::R_RISCV_RELATIVE) => Value::Base,
        (elf::EM_RISCV, elf::R_RISCV_IRELATIVE) => Value::Nothing,
        _ => return None,
    })
}

/// Copies the segments of a shared object as if to `base`, and relocates them.
pub(super) fn apply(bytes: &[u8], base: u64, provide: &dyn Fn(&str) -> Option<u64>) -> Result<Applied> {
    let file = object::File::parse(bytes)?;
    let segments = || file.segments().filter(|segment| segment.size() > 0);
    let align = segments().map(|segment| segment.align()).max().unwrap_or(1).max(1);
    let low = segments().map(|segment| segment.address()).min().unwrap_or(0) & !(align - 1);
    let high = segments().map(|segment| segment.address() + segment.size()).max().unwrap_or(0);
    let mut image = vec![0; (high - low) as usize];
    for segment in segments() {
        let (at, data) = ((segment.address() - low) as usize, segment.data()?);
        image[at..at + data.len()].copy_from_slice(data);
    }
    let machine = match &file {
        object::File::Elf32(file) => file.elf_header().e_machine.get(file.endian()),
        object::File::Elf64(file) => file.elf_header().e_machine.get(file.endian()),
        _ => bail!("not an ELF file"),
    };
    let mut work = Work {
        file: &file,
        machine,
        word: if file.is_64() { 8 } else { 4 },
        low,
        bias: base.wrapping_sub(low),
        provide,
        done: Applied { bytes: image, types: BTreeMap::new(), log: Vec::new() },
    };
    work.relr()?;
    for (address, relocation) in file.dynamic_relocations().into_iter().flatten() {
        work.relocation(address, &relocation)?;
    }
    Ok(work.done)
}

struct Work<'a, 'd> {
    file: &'a object::File<'d>,
    machine: elf::Machine,
    word: usize,
    low: u64,
    bias: u64,
    provide: &'a dyn Fn(&str) -> Option<u64>,
    done: Applied,
}

impl Work<'_, '_> {
    fn field(&mut self, address: u64, len: usize) -> Result<&mut [u8]> {
        let at = address.wrapping_sub(self.low) as usize;
        match self.done.bytes.get_mut(at..).and_then(|rest| rest.get_mut(..len)) {
            Some(field) => Ok(field),
            None => bail!("a relocation at {address:#x} lies outside the image"),
        }
    }

    fn get(&mut self, address: u64, len: usize) -> Result<u64> {
        Ok(self.field(address, len)?.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn set(&mut self, address: u64, len: usize, value: u64) -> Result<()> {
        self.field(address, len)?.copy_from_slice(&value.to_le_bytes()[..len]);
        Ok(())
    }

    fn relocation(&mut self, address: u64, relocation: &Relocation) -> Result<()> {
        let RelocationFlags::Elf { r_type, .. } = relocation.flags() else { bail!("no ELF relocation") };
        let Some(value) = value(self.machine, r_type) else {
            bail!("the applier does not know type {} of dynamic relocations", r_type.0)
        };
        let (symbol, name) = self.symbol(relocation)?;
        *self.done.types.entry(r_type.0).or_insert(0) += 1;
        let type_name = elf::machine_names(self.machine).r.name(r_type).unwrap_or("?").to_owned();
        self.done.log.push((address - self.low, type_name, name));
        let Some(symbol) = symbol else { return Ok(()) }; // an indirect function
        let len = if matches!(value, Value::Distance) { 4 } else { self.word };
        let addend = match relocation.has_implicit_addend() {
            true => self.get(address, len)?,
            false => relocation.addend() as u64,
        };
        let result = match value {
            Value::Nothing => return Ok(()),
            Value::Base => self.bias.wrapping_add(addend),
            Value::Symbol => symbol,
            Value::SymbolPlus => symbol.wrapping_add(addend),
            Value::Distance => symbol.wrapping_add(addend).wrapping_sub(address.wrapping_add(self.bias)),
        };
        self.set(address, len, result)
    }

    /// The value and name of a relocation's symbol; no value when it is an indirect function of the file itself.
    fn symbol(&self, relocation: &Relocation) -> Result<(Option<u64>, String)> {
        let RelocationTarget::Symbol(index) = relocation.target() else {
            return Ok((Some(0), String::new()));
        };
        let Some(table) = self.file.dynamic_symbol_table() else { bail!("there is no symbol table") };
        let symbol = table.symbol_by_index(index)?;
        let name = symbol.name()?.to_owned();
        let SymbolFlags::Elf { st_info, .. } = symbol.flags() else { bail!("no ELF symbol") };
        let value = match symbol.section() {
            SymbolSection::Undefined => Some((self.provide)(&name).unwrap_or(0)),
            SymbolSection::Absolute => Some(symbol.address()),
            _ if st_info.0 & 0xf == elf::STT_GNU_IFUNC.0 => None,
            _ => Some(symbol.address().wrapping_add(self.bias)),
        };
        Ok((value, name))
    }

    /// Packed relative relocations: an address, then bitmaps of the words after it.
    fn relr(&mut self) -> Result<()> {
        let is_relr = |flags| matches!(flags, SectionFlags::Elf { sh_type: elf::SHT_RELR, .. });
        let Some(section) = self.file.sections().find(|section| is_relr(section.flags())) else {
            return Ok(());
        };
        let word = self.word as u64;
        let mut next = 0;
        for entry in section.data()?.chunks_exact(self.word) {
            let entry = entry.iter().rev().fold(0, |value: u64, byte| value << 8 | u64::from(*byte));
            if entry & 1 == 0 {
                self.add_bias(entry)?;
                next = entry + word;
                continue;
            }
            for bit in (1..word * 8).filter(|bit| entry >> bit & 1 != 0) {
                self.add_bias(next + (bit - 1) * word)?;
            }
            next += (word * 8 - 1) * word;
        }
        Ok(())
    }

    fn add_bias(&mut self, address: u64) -> Result<()> {
        let value = self.get(address, self.word)?.wrapping_add(self.bias);
        self.set(address, self.word, value)
    }
}

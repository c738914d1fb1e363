//! RISC-V: `CALL` pairs, the stubs that linkers put between, and slots of the GOT.

use object::elf;

use super::{Branch, Leads, Rules, Site};
use crate::oracle::image::Image;

pub(in crate::oracle) static RISCV: Rules = Rules {
    branches: &[elf::R_RISCV_CALL.0, elf::R_RISCV_CALL_PLT.0],
    branch: |site| call(site.image, site.place, site.mask()),
    walk,
    accesses: &[
        elf::R_RISCV_GOT_HI20.0,
        elf::R_RISCV_GOT32_PCREL.0,
        elf::R_RISCV_PCREL_LO12_I.0,
        elf::R_RISCV_PCREL_LO12_S.0,
    ],
    access,
    mode: 0,
    span: |r_type| match elf::RelocationType(r_type) {
        elf::R_RISCV_CALL | elf::R_RISCV_CALL_PLT => (0, 8),
        _ => (0, 4),
    },
};

const LOWER: [u32; 2] = [elf::R_RISCV_PCREL_LO12_I.0, elf::R_RISCV_PCREL_LO12_S.0];

const AUIPC: u32 = 0x17;
const LUI: u32 = 0x37;
const JALR: u32 = 0x67;
const LOAD: u32 = 0x03;
const ADD: u32 = 0x13;

fn upper(i: u32) -> i64 {
    i64::from(i as i32 & !0xfff)
}

fn lower(i: u32) -> i64 {
    i64::from(i as i32 >> 20)
}

/// `auipc` or `lui`, then `jalr`: kind is the register that gets the return address.
fn call(image: &Image, at: u64, mask: u64) -> Option<Branch> {
    let (first, second) = (image.number(at, 4)? as u32, image.number(at + 4, 4)? as u32);
    if second & 0x7f != JALR {
        return None;
    }
    let base = match (first & 0x7f, second >> 15 & 31) {
        (_, 0) => 0,
        (AUIPC, _) => at.wrapping_add_signed(upper(first)),
        (LUI, _) => upper(first) as u64,
        _ => return None,
    };
    let to = base.wrapping_add_signed(lower(second)) & mask;
    Some(Branch { kind: u64::from(second >> 7 & 31), to: Leads::To(to) })
}

/// Runs the code at `start`, as far as a stub goes: it loads an address and jumps to it.
fn walk(image: &Image, start: u64) -> Option<Leads> {
    let mut registers = [0u64; 32];
    for at in (start..start + 32).step_by(4) {
        let i = image.number(at, 4)? as u32;
        let (d, n) = ((i >> 7 & 31) as usize, (i >> 15 & 31) as usize);
        let sum = registers[n].wrapping_add_signed(lower(i));
        let width = i >> 12 & 7;
        match i & 0x7f {
            AUIPC => registers[d] = at.wrapping_add_signed(upper(i)),
            LUI => registers[d] = upper(i) as u64,
            LOAD if width == 2 => registers[d] = image.number(sum & 0xffff_ffff, 4)?,
            LOAD if width == 3 => registers[d] = image.number(sum, 8)?,
            ADD if width == 0 => registers[d] = sum,
            JALR => return Some(Leads::To(sum)),
            _ => return None,
        }
    }
    None
}

/// The address that a pair computes, through its GOT slot if it is such a pair. The low half names the place of the
/// high one; for a high half any of its low ones will do.
fn access(site: &Site<'_>) -> Option<u64> {
    let of = |place: u64| Some(site.image.number(place, 4)? as u32);
    if site.relocation.r_type == elf::R_RISCV_GOT32_PCREL.0 {
        let distance = site.image.signed(site.place, 4)?.wrapping_sub(site.relocation.addend?);
        let slot = site.place.wrapping_add_signed(distance) & site.mask();
        return site.image.number(slot, if site.view.wide { 8 } else { 4 });
    }
    let is_high = site.relocation.r_type == elf::R_RISCV_GOT_HI20.0;
    let (high_at, low_at, low_type) = if is_high {
        let (low_at, low_type) = site.low_of(&LOWER)?;
        (site.place, low_at, low_type)
    } else {
        (site.symbol_place()?, site.place, site.relocation.r_type)
    };
    let low = of(low_at)?;
    let low = if low_type == elf::R_RISCV_PCREL_LO12_S.0 {
        i64::from((low as i32 >> 25 << 5) | (low >> 7 & 31) as i32)
    } else {
        lower(low)
    };
    let address = high_at.wrapping_add_signed(upper(of(high_at)?)).wrapping_add_signed(low) & site.mask();
    if site.type_at(high_at, elf::R_RISCV_GOT_HI20.0) {
        return site.image.number(address, if site.view.wide { 8 } else { 4 });
    }
    Some(address)
}

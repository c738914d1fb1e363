//! AArch64: `B`, `BL`, the stubs that linkers put between, and slots of the GOT.

use object::elf;

use super::{Branch, Leads, Rules, Site};
use crate::oracle::image::Image;

pub(in crate::oracle) static AARCH64: Rules = Rules {
    branches: &[elf::R_AARCH64_JUMP26.0, elf::R_AARCH64_CALL26.0],
    branch: |site| branch(site.image, site.place),
    walk,
    accesses: &[
        elf::R_AARCH64_ADR_GOT_PAGE.0,
        elf::R_AARCH64_LD64_GOT_LO12_NC.0,
        elf::R_AARCH64_LD64_GOTPAGE_LO15.0,
        elf::R_AARCH64_LD64_GOTOFF_LO15.0,
        elf::R_AARCH64_GOT_LD_PREL19.0,
    ],
    access,
    mode: 0,
    span: |_| (0, 4),
};

const NOP: u32 = 0xd503_201f;

fn branch(image: &Image, at: u64) -> Option<Branch> {
    let i = image.number(at, 4)? as u32;
    if i == NOP {
        return Some(Branch { kind: 0, to: Leads::Nowhere });
    }
    let distance = i64::from((i << 6) as i32 >> 4);
    let is_branch = matches!(i >> 26, 0b000101 | 0b100101);
    let to = Leads::To(at.wrapping_add_signed(distance));
    is_branch.then_some(Branch { kind: u64::from(i >> 26), to })
}

/// Runs the code at `start`, as far as a stub goes: it loads or builds an address and jumps to it.
fn walk(image: &Image, start: u64) -> Option<Leads> {
    let mut registers = [0u64; 32];
    for at in (start..start + 32).step_by(4) {
        let i = image.number(at, 4)? as u32;
        let (d, n, m) = ((i & 31) as usize, (i >> 5 & 31) as usize, (i >> 16 & 31) as usize);
        match i {
            // ldr xd, label
            0x5800_0000..=0x58ff_ffff => {
                let distance = i64::from((i << 8) as i32 >> 13) * 4;
                registers[d] = image.number(at.wrapping_add_signed(distance), 8)?;
            }
            _ if i & 0x1f00_0000 == 0x1000_0000 => registers[d] = pc_relative(i, at),
            // add xd, xn, #n
            _ if i & 0xffc0_0000 == 0x9100_0000 => {
                registers[d] = registers[n].wrapping_add(u64::from(i >> 10 & 0xfff));
            }
            // add xd, xn, xm
            _ if i & 0xffe0_fc00 == 0x8b00_0000 => registers[d] = registers[n].wrapping_add(registers[m]),
            // br xn
            _ if i & 0xffff_fc1f == 0xd61f_0000 => return Some(Leads::To(registers[n])),
            _ => return branch(image, at).map(|branch| branch.to),
        }
    }
    None
}

/// What `adr` or `adrp` computes.
fn pc_relative(i: u32, at: u64) -> u64 {
    let value = i64::from(((i >> 5 & 0x7_ffff) << 2 | i >> 29 & 3) as i32) << 43 >> 43;
    if i >> 31 != 0 { (at & !0xfff).wrapping_add_signed(value << 12) } else { at.wrapping_add_signed(value) }
}

/// The 64-bit load's offset, bytes.
fn load_offset(i: u32) -> u64 {
    u64::from(i >> 10 & 0xfff) * 8
}

fn access(site: &Site<'_>) -> Option<u64> {
    let i = site.image.number(site.place, 4)? as u32;
    let other = |r_type: elf::RelocationType| {
        let place = site.partner(r_type.0)?;
        Some((site.image.number(place, 4)? as u32, place))
    };
    let slot = match elf::RelocationType(site.relocation.r_type) {
        elf::R_AARCH64_ADR_GOT_PAGE => {
            let (load, _) = other(elf::R_AARCH64_LD64_GOT_LO12_NC)?;
            pc_relative(i, site.place) + load_offset(load)
        }
        elf::R_AARCH64_LD64_GOT_LO12_NC => {
            let (page, place) = other(elf::R_AARCH64_ADR_GOT_PAGE)?;
            pc_relative(page, place) + load_offset(i)
        }
        elf::R_AARCH64_GOT_LD_PREL19 => site.place.wrapping_add_signed(i64::from((i << 8) as i32 >> 13) * 4),
        elf::R_AARCH64_LD64_GOTOFF_LO15 => site.ours.got + load_offset(i),
        _ => (site.ours.got & !0xfff) + load_offset(i),
    };
    site.image.number(slot, 8)
}

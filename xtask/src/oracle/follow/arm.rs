//! Arm: branches of both instruction sets, the stubs that linkers put between, and slots of the GOT.
//!
//! Bit 0 of an address of code says that it is Thumb code, here as in the psABI.

use object::elf;

use super::{Branch, Leads, Rules, Site};
use crate::oracle::image::Image;

pub(in crate::oracle) static ARM: Rules = Rules {
    branches: &[
        elf::R_ARM_PC24.0,
        elf::R_ARM_PLT32.0,
        elf::R_ARM_CALL.0,
        elf::R_ARM_JUMP24.0,
        elf::R_ARM_THM_PC22.0,
        elf::R_ARM_THM_JUMP24.0,
        elf::R_ARM_THM_JUMP19.0,
    ],
    branch: |site| match elf::RelocationType(site.relocation.r_type) {
        elf::R_ARM_THM_PC22 | elf::R_ARM_THM_JUMP24 | elf::R_ARM_THM_JUMP19 => {
            thumb_branch(site.image, site.place)
        }
        _ => arm_branch(site.image, site.place),
    },
    walk,
    accesses: &[elf::R_ARM_GOT32.0, elf::R_ARM_GOT_PREL.0, elf::R_ARM_GOT_ABS.0],
    access,
    mode: 1,
    span: |_| (0, 4),
};

/// Kinds of branches. `BL` and `BLX` are one: the target says the instruction set.
const LINK: u64 = 1;
const JUMP: u64 = 2;

fn to(address: u64, thumb: bool) -> Leads {
    Leads::To(address & 0xffff_ffff & !1 | u64::from(thumb))
}

/// The two half-words of a 32-bit Thumb instruction, the first one high.
fn thumb(image: &Image, at: u64) -> Option<u32> {
    Some((image.number(at, 4)? as u32).rotate_left(16))
}

fn thumb_branch(image: &Image, at: u64) -> Option<Branch> {
    let i = thumb(image, at)?;
    // nop.w; nop, nop; b over the second half-word
    if matches!(i, 0xf3af_8000 | 0xbf00_bf00 | 0xe000_bf00) {
        return Some(Branch { kind: 0, to: Leads::Nowhere });
    }
    if i >> 27 != 0b11110 || i & 0x8000 == 0 {
        return None;
    }
    let s = i >> 26 & 1;
    let (j1, j2) = (i >> 13 & 1, i >> 11 & 1);
    let wide =
        s << 24 | (!(j1 ^ s) & 1) << 23 | (!(j2 ^ s) & 1) << 22 | (i >> 16 & 0x3ff) << 12 | (i & 0x7ff) << 1;
    let wide = i64::from((wide << 7) as i32 >> 7);
    let next = at + 4;
    Some(match i & 0xd000 {
        0xd000 => Branch { kind: LINK, to: to(next.wrapping_add_signed(wide), true) },
        0xc000 => Branch { kind: LINK, to: to((next & !3).wrapping_add_signed(wide), false) },
        0x9000 => Branch { kind: JUMP, to: to(next.wrapping_add_signed(wide), true) },
        _ => {
            let near = s << 20 | j2 << 19 | j1 << 18 | (i >> 16 & 0x3f) << 12 | (i & 0x7ff) << 1;
            let near = i64::from((near << 11) as i32 >> 11);
            let condition = u64::from(i >> 22 & 0xf) << 8;
            Branch { kind: JUMP | condition, to: to(next.wrapping_add_signed(near), true) }
        }
    })
}

fn arm_branch(image: &Image, at: u64) -> Option<Branch> {
    let i = image.number(at, 4)? as u32;
    // nop, under any condition; mov r0, r0
    if i & 0x0fff_ffff == 0x0320_f000 || i == 0xe1a0_0000 {
        return Some(Branch { kind: 0, to: Leads::Nowhere });
    }
    let distance = i64::from((i << 8) as i32 >> 6);
    let target = (at + 8).wrapping_add_signed(distance);
    let condition = |code: u32| if code == 0xe { 0 } else { u64::from(code) << 8 };
    Some(match (i >> 28, i >> 24 & 0xf) {
        (0xf, half @ (0xa | 0xb)) => Branch { kind: LINK, to: to(target + u64::from(half & 1) * 2, true) },
        (code, 0xb) => Branch { kind: LINK | condition(code), to: to(target, false) },
        (code, 0xa) => Branch { kind: JUMP | condition(code), to: to(target, false) },
        _ => return None,
    })
}

/// Runs the code at `at`, as far as a stub goes: it loads or builds an address and jumps to it.
fn walk(image: &Image, at: u64) -> Option<Leads> {
    let mut core = Core { image, at: at & !1, thumb: at & 1 != 0, registers: [None; 16], stack: Vec::new() };
    for _ in 0..8 {
        let leads = if core.thumb { core.thumb_step()? } else { core.arm_step()? };
        if leads.is_some() {
            return leads;
        }
    }
    None
}

struct Core<'a> {
    image: &'a Image,
    at: u64,
    thumb: bool,
    registers: [Option<u64>; 16],
    stack: Vec<Option<u64>>,
}

const PC: usize = 15;

impl Core<'_> {
    fn jump(&self, register: usize) -> Option<Option<Leads>> {
        Some(Some(Leads::To(self.registers[register]?)))
    }

    fn load(&mut self, register: usize, address: u64) -> Option<Option<Leads>> {
        let value = self.image.number(address, 4)?;
        self.registers[register] = Some(value);
        if register == PC { Some(Some(Leads::To(value))) } else { Some(None) }
    }

    fn set_half(&mut self, register: usize, half: u32, top: bool) {
        let low = self.registers[register].unwrap_or(0) & 0xffff;
        self.registers[register] = Some(if top { u64::from(half) << 16 | low } else { u64::from(half) });
    }

    /// One Thumb instruction: `None` if no stub has such, the target once it jumps.
    fn thumb_step(&mut self) -> Option<Option<Leads>> {
        let first = self.image.number(self.at, 2)? as u32;
        let wide = first >> 11 >= 0b11101;
        let (pc, i) = (self.at + 4, if wide { thumb(self.image, self.at)? } else { first });
        self.at += if wide { 4 } else { 2 };
        let low = |shift: u32| (i >> shift & 7) as usize;
        match i {
            0xf85f_0000..=0xf85f_ffff => {
                return self.load((i >> 12 & 15) as usize, (pc & !3) - u64::from(i & 0xfff));
            }
            0xf8df_0000..=0xf8df_ffff => {
                return self.load((i >> 12 & 15) as usize, (pc & !3) + u64::from(i & 0xfff));
            }
            _ if wide && i & 0xfb70_8000 == 0xf240_0000 => {
                let half = (i >> 16 & 15) << 12 | (i >> 26 & 1) << 11 | (i >> 12 & 7) << 8 | i & 0xff;
                self.set_half((i >> 8 & 15) as usize, half, i & 0x0080_0000 != 0);
            }
            _ if wide => return thumb_branch(self.image, pc - 4).map(|branch| Some(branch.to)),
            // bx pc: what follows is A32 code.
            0x4778 => (self.at, self.thumb) = (pc & !3, false),
            0x4700..=0x477f => return self.jump((i >> 3 & 15) as usize),
            0x4600..=0x46ff => {
                self.registers[(i & 7 | i >> 4 & 8) as usize] = self.registers[(i >> 3 & 15) as usize];
            }
            0x4800..=0x4fff => return self.load(low(8), (pc & !3) + u64::from(i & 0xff) * 4),
            0xb400..=0xb4ff => (0..8).rev().filter(|n| i >> n & 1 != 0).for_each(|n| {
                self.stack.push(self.registers[n]);
            }),
            // str rt, [sp, #n]
            0x9000..=0x97ff => {
                let at = self.stack.len().checked_sub(1 + (i & 0xff) as usize)?;
                self.stack[at] = self.registers[low(8)];
            }
            0xbc00..=0xbdff => {
                for n in (0..8).filter(|n| i >> n & 1 != 0) {
                    self.registers[n] = self.stack.pop()?;
                }
                if i & 0x100 != 0 {
                    return Some(Some(Leads::To(self.stack.pop()??)));
                }
            }
            0xbf00 => {}
            _ => return None,
        }
        Some(None)
    }

    /// One A32 instruction.
    fn arm_step(&mut self) -> Option<Option<Leads>> {
        let i = self.image.number(self.at, 4)? as u32;
        let pc = self.at + 8;
        self.at += 4;
        let (target, offset) = ((i >> 12 & 15) as usize, u64::from(i & 0xfff));
        match i {
            // ldr rt, [pc, #n] and [pc, #-n]
            0xe59f_0000..=0xe59f_ffff => return self.load(target, pc + offset),
            0xe51f_0000..=0xe51f_ffff => return self.load(target, pc - offset),
            0xe12f_ff10..=0xe12f_ff1f => return self.jump((i & 15) as usize),
            _ if i & 0xffb0_0000 == 0xe300_0000 => {
                self.set_half(target, (i >> 4 & 0xf000) | i & 0xfff, i & 0x0040_0000 != 0);
            }
            _ => return arm_branch(self.image, pc - 8).map(|branch| Some(branch.to)),
        }
        Some(None)
    }
}

fn access(site: &Site<'_>) -> Option<u64> {
    let field = site.image.number(site.place, 4)?;
    let distance = field.wrapping_sub(site.implicit()?);
    let slot = match elf::RelocationType(site.relocation.r_type) {
        elf::R_ARM_GOT32 => site.ours.got.wrapping_add(distance),
        elf::R_ARM_GOT_PREL => site.place.wrapping_add(distance),
        _ => distance,
    };
    site.image.number(slot & 0xffff_ffff, 4)
}

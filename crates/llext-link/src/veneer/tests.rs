//! Stubs whose targets were chosen so that they meet in the index.

extern crate std;

use super::*;
use crate::arch::x86_64::ARCH;
use crate::elf::Elf64Le;
use std::vec;

/// What [`Stubs::find`] multiplies a target with, inverted: so far apart, targets differ in the low bits of the product.
const APART: u64 = 0xf1de_83e1_9937_733d;

#[test]
fn stubs_that_crowd_the_index_are_looked_for_within_reach() {
    assert_eq!(APART.wrapping_mul(0x9e37_79b9_7f4a_7c15), 1);
    let veneer = &ARCH.veneers[0];
    let (size, count) = (veneer.code.len(), REACH + 2);
    let target = |number: usize| 0x1234_5678_u64.wrapping_add(APART.wrapping_mul(number as u64));
    let mut bytes = vec![0; (count + 2) * size];
    let mut index = vec![0; count + count / 2];
    let mut area = Area { bytes: &mut bytes, address: 0x1000_u64, used: 0 };
    let mut find =
        |number| Stubs { area: &mut area, index: &mut index }.find::<Elf64Le>(None, veneer, target(number));
    let address = |stub: usize| Ok(0x1000 + (stub * size) as u64);
    for number in 0..count {
        assert_eq!(find(number), address(number));
    }
    // What found a place is shared; what did not is made once more, as long as there is room.
    assert_eq!((find(0), find(REACH - 1)), (address(0), address(REACH - 1)));
    assert_eq!((find(REACH), find(REACH + 1)), (address(count), address(count + 1)));
    assert_eq!(find(REACH), Err(Full));
    assert_eq!(find(1), address(1));
    let stub = |number: usize| &bytes[number * size..][..size];
    assert_eq!(stub(REACH), stub(count));
    assert_ne!(stub(REACH), stub(0));
}

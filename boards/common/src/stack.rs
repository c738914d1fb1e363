//! How much stack a function needs: what lies below is painted, and looked at afterwards.

use core::hint::black_box;

/// How far down is looked at most, bytes.
const MOST: usize = 64 * 1024;
/// What the painting itself may use, bytes. A function that needs less is said to need this.
const MARGIN: usize = 128;
const PAINT: u32 = 0xa5a5_a5a5;

/// The bytes of stack that `work` needs, which must not be inlined. All memory from `statics` up to the stack is its. A
/// function that needs more is said to need that.
pub(crate) fn depth_of(statics: usize, work: impl FnOnce()) -> usize {
    let end = end();
    let lowest = statics.next_multiple_of(size_of::<u32>()).max(end - MOST) as *mut u32;
    let words = 0..(end - MARGIN - lowest.addr()) / size_of::<u32>();
    for word in words.clone() {
        // SAFETY: the stack has not come so far down yet, and nothing else lies there.
        unsafe { lowest.add(word).write_volatile(PAINT) };
    }
    work();
    // SAFETY: as above.
    let untouched = words.take_while(|word| unsafe { lowest.add(*word).read_volatile() } == PAINT);
    end - lowest.addr() - untouched.count() * size_of::<u32>()
}

/// Where the stack of the caller ends, or a few bytes below.
#[inline(never)]
fn end() -> usize {
    let local = black_box(0_u32);
    (&raw const local).addr() & !7
}

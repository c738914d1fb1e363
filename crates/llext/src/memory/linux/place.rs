//! Where in the address space a block goes: at a remembered place if one is free, else into the
//! nearest hole.
//!
//! A try costs one call to the kernel, reading the list of mappings costs dozens. So the ends of the
//! last few blocks are remembered, and the list is read only when no guess hits.
//!
//! <https://man7.org/linux/man-pages/man5/proc_pid_maps.5.html>

use super::super::{MemoryError, Window};
use super::refused;
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags};
use std::ptr::NonNull;

/// All that a program may map: the first 64 KiB are kept free to catch null pointers.
pub(super) const EVERYWHERE: Window =
    Window { low: 0x1_0000, high: if usize::BITS == 32 { 0xffff_f000 } else { 1 << 48 } };

/// How far a 32-bit offset reaches, less what the host's own program may take.
const NEAR: u64 = (1 << 31) - (128 << 20);
/// Nothing is put so close below the main stack or above the heap: both grow.
const GROWTH: u64 = 128 << 20;
/// The first guess lies so far below the host's code, the next ones ever twice as far. A hit close by
/// shares the host's page tables, which saves a tenth of a small load (measured).
const FIRST_GUESS: usize = 64 << 10;
const GUESSES: u32 = 15;
/// How often the list is read again because someone else took the hole.
const SCANS: u32 = 4;

/// The address space around the host's code, and where in it there was room.
#[derive(Debug)]
pub(super) struct Neighbourhood {
    center: usize,
    /// Addresses below which a block may fit, the latest first; 0 where none is known.
    recent: [usize; 4],
}

/// What is looked for.
#[derive(Clone, Copy)]
struct Need {
    size: usize,
    align: usize,
    window: Window,
    /// The closer to this address the better.
    anchor: u64,
}

impl Neighbourhood {
    pub(super) const fn new(center: usize) -> Self {
        Self { center, recent: [0; 4] }
    }

    /// From everywhere in this window, the host's code is in reach of a 32-bit offset.
    pub(super) fn window(&self) -> Window {
        let center = self.center as u64;
        Window { low: center.saturating_sub(NEAR), high: center.saturating_add(NEAR) }
            .intersection(&EVERYWHERE)
    }

    /// Maps `size` zeroed, writable bytes in `window`: near the host's code if possible.
    pub(super) fn map(
        &mut self,
        size: usize,
        align: usize,
        window: Window,
    ) -> Result<NonNull<u8>, MemoryError> {
        let near = window.intersection(&self.window());
        let all = window.intersection(&EVERYWHERE);
        let mut found = self.map_in(size, align, near)?;
        if found.is_none() && near != all {
            found = self.map_in(size, align, all)?;
        }
        let Window { low, high } = window;
        let base = found.ok_or(MemoryError::OutOfReach { low, high, wanted: size })?;
        self.note(base.as_ptr().addr());
        Ok(base)
    }

    /// Remembers that there may be room below an address.
    pub(super) fn note(&mut self, ceiling: usize) {
        let known = self.recent.iter().position(|&known| known == ceiling);
        let last = known.unwrap_or(self.recent.len() - 1);
        self.recent[..=last].rotate_right(1);
        self.recent[0] = ceiling;
    }

    fn map_in(&self, size: usize, align: usize, window: Window) -> Result<Option<NonNull<u8>>, MemoryError> {
        if window.is_empty() {
            return Ok(None);
        }
        let center = self.center as u64;
        let anchor = if window.holds(center, 1) { center } else { window.high };
        let need = Need { size, align, window, anchor };
        let guessed = self.guesses(&need).find_map(|address| map_at(address, size).ok().flatten());
        if guessed.is_some() { Ok(guessed) } else { map_in_hole(&need) }
    }

    fn guesses(&self, need: &Need) -> impl Iterator<Item = usize> {
        let need = *need;
        let anchor = usize::try_from(need.anchor).unwrap_or(usize::MAX);
        let guessed = (0..GUESSES).map(move |power| anchor.saturating_sub(FIRST_GUESS << power));
        let ceilings = self.recent.into_iter().chain(guessed);
        ceilings
            .filter_map(move |ceiling| Some(ceiling.checked_sub(need.size)? & !(need.align - 1)))
            .filter(move |&address| need.window.holds(address as u64, need.size as u64))
    }
}

/// Maps at exactly this address, or not at all if anything is there.
fn map_at(address: usize, size: usize) -> Result<Option<NonNull<u8>>, Errno> {
    let wanted = std::ptr::without_provenance_mut(address);
    let (protection, flags) =
        (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::FIXED_NOREPLACE);
    // SAFETY: a new mapping that replaces none.
    let got = match unsafe { rustix::mm::mmap_anonymous(wanted, size, protection, flags) } {
        Err(Errno::EXIST) => return Ok(None),
        got => got?,
    };
    if got != wanted {
        // Kernels before 4.17 take the address for a wish.
        // SAFETY: it was mapped just now, and no one knows of it.
        unsafe { rustix::mm::munmap(got, size)? };
        return Ok(None);
    }
    Ok(NonNull::new(got.cast()))
}

fn map_in_hole(need: &Need) -> Result<Option<NonNull<u8>>, MemoryError> {
    for _ in 0..SCANS {
        let maps = std::fs::read("/proc/self/maps").map_err(|error| MemoryError::Refused {
            os: error.raw_os_error().unwrap_or(0),
            operation: "read /proc/self/maps",
        })?;
        let Some(address) = nearest_hole(&maps, need) else { return Ok(None) };
        if let Some(base) = map_at(address, need.size).map_err(refused("mmap"))? {
            return Ok(Some(base));
        }
    }
    Ok(None)
}

/// The place nearest to the anchor that no line of `maps` takes.
fn nearest_hole(maps: &[u8], need: &Need) -> Option<usize> {
    let mut free = need.window.low;
    let mut best = None;
    let end = (need.window.high, need.window.high);
    for (start, end) in maps.split(|&byte| byte == b'\n').filter_map(taken).chain([end]) {
        if let Some(place) = place_between(free, start.min(need.window.high), need) {
            let distance = place.abs_diff(need.anchor);
            if best.is_none_or(|(least, _)| distance < least) {
                best = Some((distance, place));
            }
        }
        free = free.max(end);
    }
    best.and_then(|(_, place)| usize::try_from(place).ok())
}

/// The place in a hole that is nearest to the anchor.
fn place_between(low: u64, high: u64, need: &Need) -> Option<u64> {
    let mask = need.align as u64 - 1;
    let lowest = low.checked_add(mask)? & !mask;
    let highest = high.checked_sub(need.size as u64)? & !mask;
    (lowest <= highest).then(|| (need.anchor & !mask).clamp(lowest, highest))
}

/// What a line of the list takes: `start-end rights offset device inode path`.
fn taken(line: &[u8]) -> Option<(u64, u64)> {
    let line = std::str::from_utf8(line.split(|&byte| byte == b' ').next()?).ok().zip(Some(line));
    let (range, line) = line?;
    let (start, end) = range.split_once('-')?;
    let (start, end) = (u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?);
    Some(match line {
        _ if line.ends_with(b"[stack]") => (start.saturating_sub(GROWTH), end),
        _ if line.ends_with(b"[heap]") => (start, end.saturating_add(GROWTH)),
        _ => (start, end),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const MAPS: &[u8] = b"\
00400000-00500000 r-xp 00000000 08:01 1 /bin/host
00600000-00700000 rw-p 00000000 00:00 0 [heap]
40000000-40010000 r--p 00000000 08:01 2 /lib/\xff.so
7ffe00000000-7ffe00021000 rw-p 00000000 00:00 0 [stack]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]
";

    fn hole(size: usize, align: usize, low: u64, high: u64, anchor: u64) -> Option<usize> {
        nearest_hole(MAPS, &Need { size, align, window: Window { low, high }, anchor })
    }

    #[test]
    fn the_nearest_hole_is_found() {
        assert_eq!(hole(0x1000, 0x1000, 0x1_0000, 1 << 47, 0x40_1000), Some(0x3f_f000));
        assert_eq!(hole(0x1000, 0x1000, 0x1_0000, 1 << 47, 0x4000_f000), Some(0x4001_0000));
        assert_eq!(hole(0x1000, 0x1000, 0x1_0000, 1 << 47, 0x4000_1000), Some(0x3fff_f000));
        #[cfg(target_pointer_width = "64")]
        assert_eq!(hole(0x1000, 0x1000, 0x1_0000, 1 << 47, 0x1234_5678_9abc), Some(0x1234_5678_9000));
    }

    #[test]
    fn holes_end_with_the_window() {
        assert_eq!(hole(0x1000, 0x1000, 0x45_0000, 0x65_0000, 0x45_0000), Some(0x50_0000));
        assert_eq!(hole(0x10_0000, 0x1000, 0x45_0000, 0x65_0000, 0), Some(0x50_0000));
        assert_eq!(hole(0x10_1000, 0x1000, 0x45_0000, 0x65_0000, 0), None);
        assert_eq!(hole(0x1000, 0x1000, 0x41_0000, 0x42_0000, 0), None);
        assert_eq!(hole(0x1000, 0x10_0000, 0x45_0000, 0x65_0000, 0), Some(0x50_0000));
        assert_eq!(hole(0x1000, 0x20_0000, 0x45_0000, 0x65_0000, 0), None);
    }

    #[test]
    fn heap_and_stack_can_grow() {
        assert_eq!(hole(0x1000, 0x1000, 0x60_0000, 1 << 47, 0x60_0000), Some(0x870_0000));
        #[cfg(target_pointer_width = "64")]
        {
            let below = 0x7ffe_0000_0000 - GROWTH as usize - 0x1000;
            let found = hole(0x1000, 0x1000, 0x5000_0000, 0x7ffe_0000_0000, 0x7ffe_0000_0000);
            assert_eq!(found, Some(below));
        }
    }

    #[test]
    fn the_latest_places_are_tried_first() {
        let mut places = Neighbourhood::new(0x5000_0000);
        for ceiling in [0x10_0000, 0x20_0000, 0x30_0000, 0x40_0000, 0x50_0000, 0x30_0000] {
            places.note(ceiling);
        }
        assert_eq!(places.recent, [0x30_0000, 0x50_0000, 0x40_0000, 0x20_0000]);
        let window = Window { low: 0x25_0000, high: 0x5000_0000 };
        let need = Need { size: 0x1000, align: 0x1_0000, window, anchor: 0x5000_0000 };
        let guesses: Vec<usize> = places.guesses(&need).take(4).collect();
        assert_eq!(guesses, [0x2f_0000, 0x4f_0000, 0x3f_0000, 0x4ffe_0000]);
    }
}

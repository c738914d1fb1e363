//! Where the regions of a linked image go, and whether they may.

use std::ops::Range;
use std::str::FromStr;

use llext_link::addr::{Part, Window, align_up};
use llext_link::layout::Layout;

use super::ORDER;
use crate::error::Error;
use crate::host::Host;

/// What `--at REGION=ADDR` says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    part: Part,
    address: u64,
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, address) = text.split_once('=').ok_or("expected REGION=ADDRESS")?;
        let part = ORDER.into_iter().find(|part| part.to_string() == name);
        let part = part.ok_or("the regions are code, constants and data")?;
        let address = match address.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => address.parse(),
        };
        Ok(Self { part, address: address.map_err(|_| "the address is no number such as 0x20008000")? })
    }
}

/// The address of each part. One that none is given for follows the region before it.
pub(super) fn place(layout: &Layout, wanted: &[Wanted]) -> Result<[u64; 4], Error> {
    let mut places = [0; 4];
    let mut next = None;
    for part in ORDER {
        let mut given = wanted.iter().filter(|wanted| wanted.part == part);
        let start = match (given.next(), next) {
            (Some(given), _) => given.address,
            (None, Some(next)) => follow(next, align(layout, part)),
            (None, None) if layout.size(part) == 0 => continue,
            (None, None) => return Err(Error::NoAddress { region: part.to_string() }),
        };
        if given.next().is_some() {
            return Err(Error::TwoAddresses { region: part.to_string() });
        }
        places[part as usize] = start;
        next = Some(start.saturating_add(layout.size(part).into()));
    }
    Ok(places)
}

fn align(layout: &Layout, part: Part) -> u64 {
    layout.aligns[part as usize].max(1).into()
}

fn follow(end: u64, align: u64) -> u64 {
    align_up(end, align).unwrap_or(u64::MAX)
}

/// The addresses that a region takes, with room for its gaps.
fn range(layout: &Layout, places: &[u64; 4], part: Part) -> Range<u64> {
    let start = places[part as usize];
    start..start.saturating_add(layout.size(part).into())
}

/// All that the regions take.
pub(super) fn span(layout: &Layout, places: &[u64; 4]) -> Window {
    let taken =
        || ORDER.map(|part| range(layout, places, part)).into_iter().filter(|range| !range.is_empty());
    let low = taken().map(|range| range.start).min().unwrap_or(0);
    Window { low, high: taken().map(|range| range.end).max().unwrap_or(u64::MAX) }
}

/// Refuses regions that lie where the file cannot run, or on one another, or on what a host takes.
pub(super) fn check(layout: &Layout, places: &[u64; 4], reach: Window, hosts: &[Host]) -> Result<(), Error> {
    let taken = ORDER.map(|part| (part, range(layout, places, part)));
    let taken: Vec<_> = taken.into_iter().filter(|(_, range)| !range.is_empty()).collect();
    let reserved = hosts.iter().flat_map(|host| host.memory.iter().map(|range| (host.shown(), range)));
    for (index, (part, range)) in taken.iter().enumerate() {
        let (region, align) = (part.to_string(), align(layout, *part));
        if range.start % align != 0 {
            return Err(Error::RegionMisaligned { region, address: range.start, align });
        }
        if !reach.holds(range.start, range.end - range.start) {
            let Window { low, high } = reach;
            return Err(Error::RegionOutOfReach { region, range: range.clone(), low, high });
        }
        let before = taken.iter().take(index).map(|(part, range)| (part.to_string(), range));
        let others = before.chain(reserved.clone());
        if let Some((other, there)) = others.into_iter().find(|(_, other)| overlap(range, other)) {
            let (address, there) = (range.start, there.start);
            return Err(Error::RegionsOverlap { region, address, other, there });
        }
    }
    Ok(())
}

fn overlap(one: &Range<u64>, other: &Range<u64>) -> bool {
    one.start < other.end && other.start < one.end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(sizes: [u32; 4]) -> Layout {
        Layout { sizes, aligns: [1, 4, 16, 8], ..Layout::default() }
    }

    fn at(given: &[&str]) -> Vec<Wanted> {
        given.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_region_follows_the_one_before_it() {
        let layout = layout([0, 10, 20, 4]);
        let places = place(&layout, &at(&["code=0x1000"])).unwrap();
        assert_eq!(places, [0, 0x1000, 0x1010, 0x1028]);
        let places = place(&layout, &at(&["data=0x2000", "code=4096"])).unwrap();
        assert_eq!(places, [0, 0x1000, 0x1010, 0x2000]);
        assert!(matches!(place(&layout, &at(&["data=0x2000"])), Err(Error::NoAddress { .. })));
    }

    #[test]
    fn what_is_not_there_needs_no_address() {
        assert_eq!(place(&layout([0, 0, 0, 4]), &at(&["data=8"])).unwrap(), [0, 0, 0, 8]);
    }

    #[test]
    fn regions_and_addresses_are_read_or_refused() {
        for bad in ["code", "image=0", "text=1", "code=", "code=0xg", "code=-1"] {
            assert!(bad.parse::<Wanted>().is_err(), "{bad}");
        }
    }
}

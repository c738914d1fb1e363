//! What `link` wrote, loaded where it was linked for.

use std::collections::HashMap;
use std::sync::Mutex;

use llext::export::{Exports, SymbolName};
use llext::loader::Places;
use llext::memory::{Linux, Part};
use llext::source::File;
use llext::{Error, NoopRawMutex, Registry};
use object::{Object, ObjectSymbol};

use super::place::Mapped;
use super::{linked, place};

/// The addresses are one process's: one test at a time has them.
static ADDRESSES: Mutex<()> = Mutex::new(());

type Apps = Registry<Linux, NoopRawMutex, 2>;
type Answer = extern "C" fn(i32) -> i32;

/// The firmware's symbols, where its file says they are.
struct Firmware(HashMap<String, usize>);

impl Firmware {
    fn new(bytes: &[u8]) -> Self {
        let file = object::File::parse(bytes).unwrap();
        let symbol =
            |symbol: object::Symbol<'_, '_>| (symbol.name().unwrap().to_owned(), symbol.address() as usize);
        Self(file.symbols().map(symbol).collect())
    }
}

impl Exports for Firmware {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        self.0.get(std::str::from_utf8(name.bytes).unwrap()).copied()
    }
}

#[test]
fn it_runs_where_it_lies_with_fresh_data_each_time() {
    let _alone = ADDRESSES.lock();
    let place = place();
    let (path, bytes) = linked(&place);
    let firmware = std::fs::read(place.path("firmware.elf")).unwrap();
    let (_host, mapped) = (Mapped::all(&firmware), Mapped::all(&bytes));
    let ranges: Vec<_> = mapped.iter().map(|mapped| mapped.range.clone()).collect();
    let (in_place, copied) = ranges.split_at(2);
    let places = Places { in_place, copied };
    let (host, apps) = (Firmware::new(&firmware), Apps::new(Linux::new()));
    for lent in [true, false] {
        // SAFETY: the memory is this test's, and so is the code.
        let loader = unsafe { apps.loader(&host).pre_located(places) };
        let app = match lent {
            // SAFETY: as above.
            true => unsafe { loader.load("app", &*bytes) },
            // SAFETY: as above.
            false => unsafe { loader.load("app", File::open(&path).unwrap()) },
        };
        let app = app.unwrap();
        let regions: Vec<_> =
            app.regions().map(|region| region.address..region.address + region.size).collect();
        assert_eq!(regions, ranges);
        assert_eq!(app.exports().count(), 3);
        // SAFETY: that is the function's type.
        let answer = unsafe { app.symbol::<Answer>("answer") }.unwrap();
        // 7 and 1 of the constructor; then 3 * 4 + 1 + 5, and 3 * 5 + 2 + 5.
        assert_eq!([answer.call((4,)), answer.call((5,))], [1026, 1048]);
        assert_eq!(app.unload().unwrap(), 0);
    }
}

#[test]
fn it_is_copied_where_that_is_asked_and_put_nowhere_else() {
    let _alone = ADDRESSES.lock();
    let place = place();
    let (_, bytes) = linked(&place);
    let firmware = std::fs::read(place.path("firmware.elf")).unwrap();
    let (_host, mapped) = (Mapped::all(&firmware), Mapped::to_be_filled(&bytes));
    let ranges: Vec<_> = mapped.iter().map(|mapped| mapped.range.clone()).collect();
    let (host, apps) = (Firmware::new(&firmware), Apps::new(Linux::new()));
    // Code would have to be writable for that: on Linux it lies in place.
    let places = Places { in_place: &ranges[..1], copied: &ranges[1..] };
    // SAFETY: the memory is this test's, and so is the code.
    let app = unsafe { apps.loader(&host).pre_located(places).load("app", &*bytes) }.unwrap();
    // SAFETY: that is the function's type.
    assert_eq!(unsafe { app.symbol::<Answer>("answer") }.unwrap().call((4,)), 1026);
    app.unload().unwrap();

    let short = ranges[2].start..ranges[2].end - 1;
    let (part, address, size) = (Part::Data, short.start as u64, ranges[2].len() as u32);
    let places = Places { in_place: &ranges[..1], copied: &[ranges[1].clone(), short] };
    assert_eq!(refusal(&bytes, &host, Some(places)), Error::PlaceNotLent { part, address, size });
}

/// Loads a file that was changed, or for another host, or into other memory.
fn refusal(bytes: &[u8], host: &Firmware, places: Option<Places<'_>>) -> Error {
    let apps = Apps::new(Linux::new());
    let mut loader = apps.loader(host);
    if let Some(places) = places {
        // SAFETY: the memory is the test's, and nothing of the code runs.
        loader = unsafe { loader.pre_located(places) };
    }
    loader.verify("app", bytes).unwrap_err()
}

#[test]
fn another_firmware_other_bytes_and_other_files_are_refused() {
    let _alone = ADDRESSES.lock();
    let place = place();
    let (_, bytes) = linked(&place);
    let firmware = std::fs::read(place.path("firmware.elf")).unwrap();
    let mapped = Mapped::all(&bytes);
    let ranges: Vec<_> = mapped.iter().map(|mapped| mapped.range.clone()).collect();
    let places = Some(Places { in_place: &ranges[..2], copied: &ranges[2..] });
    let host = Firmware::new(&firmware);

    let mut moved = Firmware::new(&firmware);
    let scale = moved.0.get_mut("scale").unwrap();
    let expected = *scale as u64;
    *scale += 16;
    let name = llext::error::Name::new(b"scale");
    assert_eq!(refusal(&bytes, &moved, places), Error::OtherHost { name, found: expected + 16, expected });
    moved.0.remove("scale");
    let missing = llext_link::Error::UndefinedSymbols { count: 1, first: name };
    assert_eq!(refusal(&bytes, &moved, places), missing.into());

    let object = std::fs::read(place.path("app.o")).unwrap();
    assert_eq!(refusal(&object, &host, places), Error::NotLinked { found: 1 });
    assert_eq!(refusal(&bytes, &host, None), Error::NotPreLocated);

    let mut changed = bytes.clone();
    let text = object::File::parse(&*bytes).unwrap();
    let text = object::ObjectSection::file_range(&text.section_by_name(".text").unwrap()).unwrap();
    changed[text.0 as usize + 3] ^= 1;
    let address = ranges[0].start as u64;
    assert_eq!(refusal(&changed, &host, places), Error::PlaceDiffers { part: Part::Code, address });
}

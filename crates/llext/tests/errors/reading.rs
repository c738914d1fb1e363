//! Sources that fail, and scratch memory that does not suffice: codes 400 and 411.

use crate::common::load;
use crate::files::{object, shared};
use crate::{error_of, host, says};
use llext::source::{ReadError, ReadOnly};
use llext::{Error, Source};

const PROBE: &str = "extern int two[]; int two[2] = {40, 2}; int *probe(void) { return two; }";

/// A source whose reads fail from one of them on, and which claims a size.
struct Failing<'a> {
    bytes: &'a [u8],
    size: u64,
    reads: usize,
    error: ReadError,
}

impl Source for Failing<'_> {
    fn size(&mut self) -> Result<u64, ReadError> {
        Ok(self.size)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.reads = self.reads.checked_sub(1).ok_or(self.error)?;
        ReadOnly(self.bytes).read_at(offset, buffer)
    }
}

#[test]
fn a_medium_that_fails_at_any_read_ends_the_load_with_its_number() {
    let host = host();
    for bytes in [object("fails", PROBE), shared("fails", PROBE, &[])] {
        let (size, error) = (bytes.len() as u64, ReadError::Failed { os: 5 });
        let failing = |reads| Failing { bytes: &bytes, size, reads, error };
        let mut reads = 0;
        while let Err(found) = load(&host, "fails", failing(reads)) {
            assert_eq!(found, Error::Read { error }, "after {reads} reads");
            assert!(host.find("fails").is_none());
            reads += 1;
        }
        assert!(reads > 5, "{reads} reads");
        let text = "source: reading failed (system error 5)";
        says(load(&host, "fails", failing(0)), Error::Read { error }, text);
    }
}

#[test]
fn a_file_that_cannot_be_opened_was_not_read() {
    // SAFETY: there is no such file.
    let missing = unsafe { host().load_file("/no/such/extension.o").map(drop) };
    let error = ReadError::Failed { os: 2 };
    says(missing, Error::Read { error }, "source: reading failed (system error 2)");
}

#[test]
fn a_file_shorter_than_it_says_is_read_past_its_end() {
    let host = host();
    let bytes = object("short_file", PROBE);
    let whole = bytes.len() as u64;
    let error = ReadError::PastTheEnd { offset: 0, wanted: 64, size: 40 };
    let cut = |len: usize| Failing { bytes: &bytes[..len], size: whole, reads: usize::MAX, error };
    let text = "source: read past the end (64 bytes at 0, the file has 40)";
    says(host.loader().verify("cut", cut(40)), Error::Read { error }, text);
    let last = error_of(host.loader().verify("cut", cut(bytes.len() - 1)));
    assert!(
        matches!(last, Error::Read { error: ReadError::PastTheEnd { size, .. } } if size == whole - 1),
        "{last}"
    );
}

#[test]
fn who_verifies_does_not_wait() {
    let (host, bytes) = (host(), object("waits", PROBE));
    let (size, error) = (bytes.len() as u64, ReadError::WouldBlock);
    let slow = Failing { bytes: &bytes, size, reads: 3, error };
    says(host.loader().verify("slow", slow), Error::Read { error }, "source: not ready to be read");
}

#[test]
fn lent_scratch_that_does_not_suffice_says_how_much_is_needed_next() {
    let (host, bytes) = (host(), object("scratch", PROBE));
    let verify = |lent: &mut [u8]| host.loader().scratch(lent).verify("scratch", &bytes[..]);
    let mut words = vec![0u128; 4096];
    let lent = zeroed(&mut words);
    // The load itself comes first.
    let Err(Error::ScratchTooSmall { wanted, available: 32 }) = verify(&mut lent[..32]) else {
        panic!("32 bytes sufficed")
    };
    let text = format!("scratch: too small (found 32 bytes, {wanted} needed)");
    says(verify(&mut lent[..32]), Error::ScratchTooSmall { wanted, available: 32 }, &text);

    let (mut size, mut asked) = (0, Vec::new());
    let needed = loop {
        match verify(&mut lent[..size]) {
            Err(Error::ScratchTooSmall { wanted, available }) if wanted > available => {
                size += (wanted - available) as usize;
                asked.push(wanted);
            }
            other => break other.unwrap().scratch,
        }
    };
    assert!(size <= needed && needed < size + 16 * asked.len(), "{needed} needed, {asked:?} asked for");
    // Sixteen bytes for each section come second.
    assert_eq!(asked[1], 16 * u32::from(u16::from_le_bytes([bytes[60], bytes[61]])));
}

/// Aligned bytes.
fn zeroed(words: &mut [u128]) -> &mut [u8] {
    // SAFETY: any bytes are numbers, and the bytes are borrowed as the words are.
    unsafe { words.align_to_mut::<u8>().1 }
}

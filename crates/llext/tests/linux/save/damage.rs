//! Saved bytes from a stranger: cut off anywhere, and every bit of them turned.

use super::*;
use llext::Error;

/// Two extensions, of which an object needs the other, saved; the bytes, and the memory.
fn two(counter: &[u8], contents: Contents) -> (Retained, Vec<u8>) {
    let user = object("damage_user", USER);
    let memory = Retained::new();
    let apps = memory.unified();
    let provider = load(apps, "counter", counter);
    let user = load(apps, "user", &user);
    let saved = save(apps, contents);
    lose([provider, user]);
    (memory, saved)
}

/// What becomes of it; what the memory holds is put back.
fn attempt(memory: &Retained, held: &[u8], saved: &[u8]) -> Result<(), Error> {
    let apps = memory.unified();
    let restored = restore(apps, saved);
    if let Ok(all) = &restored {
        // What a restore lets be called may be wrong now, and is not called. All that can be asked is asked.
        for app in all {
            let ours = |address: usize| address.wrapping_sub(memory.0.addr()) <= SIZE;
            assert!(app.exports().all(|(_, address)| ours(address)));
            assert!(app.dependencies().all(|name| name != app.name()));
            let names: Vec<_> = app.exports().map(|(name, _)| name.to_vec()).collect();
            for name in names.iter().filter_map(|name| std::str::from_utf8(name).ok()) {
                // SAFETY: it is not called.
                let _ = unsafe { app.symbol::<extern "C" fn() -> i32>(name) };
            }
        }
    } else {
        assert!(memory.bytes() == held, "a restore that is refused writes nothing");
    }
    let result = restored.map(lose);
    memory.fill(held);
    result
}

#[test]
fn what_is_cut_off_is_refused() {
    let (memory, saved) = two(&object("damage", COUNTER), Contents::All);
    let held = memory.bytes();
    for len in 0..saved.len() {
        let refused = attempt(&memory, &held, &saved[..len]);
        assert_eq!(refused, Err(Error::BadSaved { what: "length", number: 0 }), "{len}");
    }
    let longer = [&saved[..], &[0; 9]].concat();
    assert_eq!(attempt(&memory, &held, &longer), Ok(()), "what follows is not looked at");
}

#[test]
fn every_bit_is_missed() {
    let (memory, saved) = two(&object("damage", COUNTER), Contents::All);
    let held = memory.bytes();
    for bit in 0..saved.len() * 8 {
        let mut damaged = saved.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let refused = attempt(&memory, &held, &damaged);
        assert!(matches!(refused, Err(Error::BadSaved { number: 0, .. })), "bit {bit}: {refused:?}");
    }
}

/// The digest that stands behind the first word of 8 bytes, of all that follows it: what a stranger would write there.
fn sign(saved: &mut [u8]) {
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |word: u64| digest = (digest ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
    let words = saved[16..].chunks_exact(8);
    let rest = words.remainder();
    words.for_each(|word| add(u64::from_ne_bytes(word.try_into().unwrap())));
    rest.iter().for_each(|byte| add(u64::from(*byte)));
    add(saved.len() as u64 - 16);
    saved[8..16].copy_from_slice(&digest.to_ne_bytes());
}

/// A stranger can write a digest that fits. Then every number is checked for itself: no panic, and nothing outside the
/// memory is read or written, where the pages around it would stop the test.
#[test]
fn a_stranger_s_numbers_lead_nowhere_else() {
    let shared =
        compile("save_damage_shared", COUNTER, &["-O1", "-shared", "-nostdlib", "-Wl,-soname,lib.so"]);
    let relocatable = object("damage_signed", COUNTER);
    let cases =
        [(&relocatable, Contents::All), (&relocatable, Contents::Trusted), (&shared, Contents::Trusted)];
    for (counter, contents) in cases {
        let (memory, saved) = two(counter, contents);
        let held = memory.bytes();
        let mut signed = saved.clone();
        sign(&mut signed);
        assert_eq!(signed, saved, "this is how it is signed");
        let mut refused = 0;
        for bit in 128..saved.len() * 8 {
            let mut damaged = saved.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            sign(&mut damaged);
            refused += usize::from(attempt(&memory, &held, &damaged).is_err());
        }
        for at in (16..saved.len() - 8).step_by(size_of::<usize>()) {
            for value in
                [0, 1, usize::MAX, usize::MAX / 2 + 1, SIZE, memory.0.addr(), memory.0.addr() + SIZE - 8]
            {
                let mut damaged = saved.clone();
                damaged[at..at + size_of::<usize>()].copy_from_slice(&value.to_ne_bytes());
                sign(&mut damaged);
                refused += usize::from(attempt(&memory, &held, &damaged).is_err());
            }
        }
        println!("{contents:?}: {refused} refused of {} bits and 7 values a word", saved.len() * 8 - 128);
        assert!(refused > saved.len() * 4, "most numbers are told");
    }
}

/// Memory that lost what it held, where no digest tells: what the run time would follow leads nowhere.
#[test]
fn memory_that_holds_something_else_is_told_without_a_digest_too() {
    let shared = compile("save_lost", COUNTER, &["-O1", "-shared", "-nostdlib"]);
    for counter in [object("lost_memory", COUNTER), shared] {
        let (memory, saved) = two(&counter, Contents::Trusted);
        let noise = |at: usize| (at.wrapping_mul(0x9e37_79b9) >> 16) as u8;
        for byte in [|_| 0, |_| 0xff, noise] {
            let held: Vec<u8> = (0..SIZE).map(byte).collect();
            memory.fill(&held);
            let refused = attempt(&memory, &held, &saved);
            assert!(matches!(refused, Err(Error::BadSaved { number: 1, .. })), "{refused:?}");
        }
    }
}

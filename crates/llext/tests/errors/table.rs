//! The table of errors.

use llext::Error;

fn is_copy<T: Copy>() {}

#[test]
fn numbers_are_unique_and_ascending_and_follow_those_of_the_linker() {
    let codes: Vec<u16> = llext_link::Error::ALL.iter().chain(Error::ALL).map(|row| row.code).collect();
    assert!(codes.windows(2).all(|two| two[0] < two[1]), "{codes:?}");
    assert!(Error::ALL.iter().all(|row| (400..700).contains(&row.code)), "{codes:?}");
}

#[test]
fn every_error_has_a_name_of_its_own_a_meaning_and_a_cure() {
    let all: Vec<_> = llext_link::Error::ALL.iter().chain(Error::ALL).collect();
    for (index, row) in all.iter().enumerate() {
        assert!(row.meaning.trim().ends_with('.') && row.meaning.len() > 10, "{row:?}");
        assert!(row.cure.len() >= 9 && !row.cure.ends_with('.'), "{row:?}");
        assert!(all[..index].iter().all(|other| other.name != row.name), "{row:?}");
    }
}

#[test]
fn an_error_is_small_and_copied() {
    is_copy::<Error>();
    assert!(size_of::<Error>() <= 96, "{} bytes", size_of::<Error>());
}

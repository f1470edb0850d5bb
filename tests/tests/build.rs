//! What the build is held to.

#[test]
fn aws_lc_takes_its_entropy_from_the_operating_system() {
    assert_eq!(option_env!("AWS_LC_SYS_NO_JITTER_ENTROPY"), Some("1"), "see docs/decisions/0002-no-jitter-entropy.md");
}

//! Who is known to answer otherwise than AWS documents, what, and what AWS's documentation says to it. Where it sides with
//! others against what is ours in the embedded parts, that is mended and nothing stands here.

/// A listed difference.
pub struct Difference {
    pub question: &'static str,
    pub instead: &'static str,
}

/// The differences of a subject.
pub fn of(name: &str) -> Vec<Difference> {
    let listed: &[(&'static str, &'static str)] = match name {
        "embedded" => EMBEDDED,
        "ministack" => MINISTACK,
        "moto" => MOTO,
        _ => &[],
    };
    listed.iter().map(|(question, instead)| Difference { question, instead }).collect()
}

const EMBEDDED: &[(&str, &str)] = &[
    // "Change data capture for DynamoDB Streams": a write that changes no data leaves no record. The embedded database is a
    // library, which writes one. Nothing depends on it: what reads the stream is woken by what is new alone.
    ("a_write_that_changes_nothing_leaves_no_record", "INSERT 1, MODIFY 1"),
];

const MINISTACK: &[(&str, &str)] = &[
    // CreateUserPool, UsernameConfiguration: without case sensitivity a name is taken in every case. It compares exactly.
    ("a_name_that_is_taken_in_another_case", "ok"),
    // AdminSetUserPassword, Password: at most 256 characters, and `[\S]+.*[\S]+`. It holds only to the pool's policy.
    ("a_password_of_257_characters", "ok"),
    ("a_password_with_white_space_at_its_beginning", "ok"),
    ("a_password_with_white_space_at_its_end", "ok"),
    // "Lockout behavior for failed sign-in attempts": after five failures every attempt fails for a second, after six
    // for two. It has no lock-out.
    ("the_right_password_after_five_wrong_ones", "ok"),
    ("the_right_password_a_second_after_six_wrong_ones", "ok"),
    // SendEmail: a message has a recipient and a content. It takes what it gets.
    ("a_mail_to_nobody", "ok"),
    ("a_mail_without_a_subject_or_text", "ok"),
];

const MOTO: &[(&str, &str)] = &[
    // TransactWriteItems, ClientRequestToken: a repeat within ten minutes changes nothing, another request under it is
    // refused. It ignores the token.
    ("a_repeat_under_the_same_token", "ok, twice"),
    ("another_transaction_under_the_same_token", "ok"),
    // The stream's records: see EMBEDDED.
    ("a_write_that_changes_nothing_leaves_no_record", "INSERT 1, MODIFY 1"),
    // UsernameConfiguration: see MINISTACK.
    ("a_name_that_is_taken_in_another_case", "ok"),
    // Password: see MINISTACK. The request itself is not valid, whatever the policy says.
    ("a_password_of_257_characters", "InvalidPasswordException"),
    ("a_password_with_white_space_at_its_beginning", "ok"),
    ("a_password_with_white_space_at_its_end", "ok"),
    // PreventUserExistenceErrors ENABLED: an unknown user is answered like a wrong password. It tells.
    ("an_unknown_user_logs_in", "UserNotFoundException"),
    // Lockout: see MINISTACK.
    ("the_right_password_after_five_wrong_ones", "ok"),
    ("the_right_password_a_second_after_six_wrong_ones", "ok"),
    // RevokeToken: a revoked token refreshes nothing, and may be revoked again. It forgets nothing, and fails at the second.
    ("a_refresh_after_revocation", "ok"),
    ("a_second_revocation", "an error without a code"),
    // InitiateAuth names NotAuthorizedException. It fails.
    ("a_refresh_of_a_deleted_user", "an error without a code"),
    // SendEmail: see MINISTACK. It takes the one and fails at the other.
    ("a_mail_to_nobody", "ok"),
    ("a_mail_without_a_subject_or_text", "an error without a code"),
];

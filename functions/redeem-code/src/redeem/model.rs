//! Histories of a code against a model of it that fits on half a page.

use harness::{Bench, Reply};
use jiff::SignedDuration;
use shared::{
    domain::{ids::UserId, invite_code::FoldedCode, user::User},
    random::Random,
    store::CodeChange,
};

use super::tests::{app, body, person};
use crate::router;

/// How many histories are tried, and of how many steps.
const HISTORIES: u32 = 120;
/// See [`HISTORIES`].
const STEPS: u32 = 12;

/// What a code is, as far as slots go.
#[derive(Clone, Debug)]
struct Model {
    quota: Option<u64>,
    used: u64,
    active: bool,
}

impl Model {
    fn answer(&self) -> Result<(), &'static str> {
        match self {
            Self { active: false, .. } => Err("invite-code-inactive"),
            Self { quota: Some(quota), used, .. } if used >= quota => Err("invite-code-exhausted"),
            Self { .. } => Ok(()),
        }
    }
}

/// What happens to a code beside redemptions.
#[derive(Clone, Copy, Debug)]
enum Step {
    SetQuota(Option<u32>),
    Switch(bool),
    GiveBack,
}

/// Draws below `bound`.
fn draw(random: &Random, bound: u32) -> u32 {
    u32::try_from(random.number() % u128::from(bound)).unwrap()
}

fn step(random: &Random) -> Step {
    match draw(random, 5) {
        0 => Step::SetQuota(Some(1 + draw(random, 6))),
        1 => Step::SetQuota(None),
        2 => Step::Switch(draw(random, 3) > 0),
        _ => Step::GiveBack,
    }
}

/// Makes the step in the table, as the functions that do it would, and checks what becomes of it against `model`.
fn make(
    bench: &Bench,
    code: &str,
    step: Step,
    model: &mut Model,
    waiting: &mut Vec<User>,
) -> impl Future<Output = ()> + Send + use<> {
    let (store, origin, code) = (bench.store.clone(), bench.origin(), FoldedCode::of(code));
    let gone = if matches!(step, Step::GiveBack) { waiting.pop() } else { None };
    let fits = match step {
        Step::SetQuota(Some(quota)) if u64::from(quota) < model.used => false,
        Step::SetQuota(quota) => {
            model.quota = quota.map(u64::from);
            true
        }
        Step::Switch(active) => {
            model.active = active;
            true
        }
        Step::GiveBack => {
            model.used -= u64::from(gone.is_some());
            true
        }
    };
    async move {
        if let Some(user) = gone {
            let later = origin.now + SignedDuration::from_millis(1);
            assert!(store.delete_unconfirmed(&user, later, &origin).await.unwrap().is_some());
        }
        let nobody = UserId::new(origin.now, 0);
        let before = store.caller_and_code(&nobody, code.as_ref()).await.unwrap().1.unwrap();
        let mut after = before.clone();
        match step {
            Step::SetQuota(quota) => after.quota = quota,
            Step::Switch(active) => after.active = active,
            Step::GiveBack => return,
        }
        let changed = store.change_invite_code(&before, &after, &origin).await.unwrap();
        assert_eq!(matches!(changed, CodeChange::Done), fits, "{step:?}: {changed:?}");
    }
}

async fn redeem(bench: &Bench, code: &str, address: &str) -> Reply {
    harness::Sample::of("redeem-code-redeem").body(&body(code, address)).send(router(app(bench))).await
}

#[tokio::test]
async fn whatever_happens_to_a_code_in_whatever_order_its_slots_are_counted_exactly() {
    let bench = Bench::new().await;
    let random = Random::seeded(2026);
    let (mut redeemed, mut refused) = (0, 0);
    for history in 0..HISTORIES {
        let code = format!("HISTORY-{history:05}");
        let quota = (draw(&random, 4) > 0).then(|| 1 + draw(&random, 5));
        bench.invite_code(&code, |code| code.quota = quota).await;
        let mut model = Model { quota: quota.map(u64::from), used: 0, active: true };
        let mut waiting = Vec::new();
        for number in 0..STEPS {
            let address = format!("{history}-{number}@example.com");
            match draw(&random, 4) {
                0 => make(&bench, &code, step(&random), &mut model, &mut waiting).await,
                1 if model.answer().is_ok() => {
                    // Between the read and the write of a redemption.
                    let meanwhile = make(&bench, &code, step(&random), &mut model, &mut waiting);
                    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);
                    check(&bench, &code, &address, &mut model, &mut waiting).await;
                }
                _ => check(&bench, &code, &address, &mut model, &mut waiting).await,
            }
            let row = bench.code(&code).await.unwrap();
            assert_eq!((row.used, row.quota.map(u64::from)), (model.used, model.quota), "history {history}, {number}");
        }
        redeemed += model.used;
        refused += u64::from(model.answer().is_err());
    }
    assert!(redeemed > 100 && refused > 20, "the histories tried too little: {redeemed} and {refused}");
}

/// Redeems and holds the answer to the model.
async fn check(bench: &Bench, code: &str, address: &str, model: &mut Model, waiting: &mut Vec<User>) {
    let reply = redeem(bench, code, address).await;
    match model.answer() {
        Ok(()) => {
            assert_eq!(reply.status, 202, "{model:?} {reply:?}");
            model.used += 1;
            waiting.push(person(bench, address).await);
        }
        Err(slug) => assert_eq!((reply.status, reply.problem()), (409, slug), "{model:?}"),
    }
}

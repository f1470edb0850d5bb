//! Many people at once, and whether everybody is where they say.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::domain::{
    ids::UserId,
    organisation::Placement,
    user::{Role, Status, User},
};

use crate::Bench;

impl Bench {
    /// `number` active Team Members in `place`, written straight into the table: rows and memberships, no addresses.
    pub async fn crowd(&self, place: &Placement, number: usize) {
        let address = format!("crowd-{}@example.com", self.random.number());
        let one = self.person_at(&address, Role::TeamMember, Status::Active, Some(place.clone())).await;
        let model = self.rows_in(&format!("USER#{}", one.id)).await.pop().unwrap();
        let mut rows = Vec::new();
        for _ in 1..number {
            let id = UserId::new(self.now(), self.random.number());
            let text = model.to_string().replace(one.id.as_str(), id.as_str());
            rows.push(serde_json::from_str::<Value>(&text).unwrap());
            rows.extend(place.team_ids.iter().map(|team| {
                json!({
                    "pk": format!("TEAM#{team}"), "sk": format!("USER#{id}"), "user_id": id, "team_id": team,
                    "organisation_id": place.organisation_id,
                })
            }));
        }
        self.put_rows(&rows).await;
    }

    /// Everybody, as the table has them; everybody's teams must have rows, be those of their memberships, and be of their
    /// organisation.
    pub async fn everybody_placed(&self) -> Vec<User> {
        let rows = self.rows().await;
        let of = |pk: &str, sk: &str| -> Vec<&Value> {
            let fits = |row: &&Value| {
                row["pk"].as_str().unwrap().starts_with(pk) && row["sk"].as_str().unwrap().starts_with(sk)
            };
            rows.iter().filter(fits).collect()
        };
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let teams: BTreeSet<_> =
            of("TEAM#", "TEAM").iter().map(|row| (text(&row["id"]), text(&row["organisation_id"]))).collect();
        let organisations: BTreeSet<_> = of("ORG#", "ORG").iter().map(|row| text(&row["id"])).collect();
        let mut memberships: BTreeSet<_> =
            of("TEAM#", "USER#").iter().map(|row| (text(&row["team_id"]), text(&row["user_id"]))).collect();
        let people: Vec<User> =
            of("USER#", "USER").into_iter().map(|row| serde_json::from_value(row.clone()).unwrap()).collect();
        for person in people.iter().filter(|person| person.role != Role::ApiOwner) {
            let organisation = person.organisation_id.as_ref().unwrap().to_string();
            assert!(organisations.contains(&organisation), "{} is in no organisation", person.id);
            assert!(!person.team_ids.is_empty(), "{} is in no team", person.id);
            for team in &person.team_ids {
                assert!(teams.contains(&(team.to_string(), organisation.clone())), "{} is in {team}", person.id);
                let membership = (team.to_string(), person.id.to_string());
                assert!(memberships.remove(&membership), "{} has no membership in {team}", person.id);
            }
        }
        assert!(memberships.is_empty(), "{memberships:?} belong to nobody");
        people
    }
}

//! Who sees which custom attributes of whom.

use serde_json::{Map, Value};

use super::sees;
use crate::domain::{
    attribute::{Definitions, Visibility},
    user::{Role, User},
};

/// Whether `caller` changes attributes of others: API Owners alone do, whatever Consumer Admins are shown.
#[must_use]
pub fn changes_attributes(caller: &User) -> bool {
    caller.role == Role::ApiOwner
}

/// The attributes of `person` as `caller` sees them, by name: API Owners and the person all, Consumer Admins of a shared
/// team those that are for admins, everybody else none. What has no value is `null`.
#[must_use]
pub fn visible_attributes(caller: &User, person: &User, definitions: &Definitions) -> Map<String, Value> {
    let all = caller.role == Role::ApiOwner || caller.id == person.id;
    let manages = caller.role == Role::ConsumerAdmin && sees(caller, person);
    definitions.shown(&person.attributes, |visibility| match visibility {
        Visibility::Private => all,
        Visibility::Admins => all || manages,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{
        attribute::{
            Writer, merge,
            tests::{definition, definitions},
        },
        rights::tests::{person, team},
    };

    #[test]
    fn each_sees_what_the_attribute_allows() {
        let both = definitions([
            definition("private", |_| {}),
            definition("shared", |shared| shared.visibility = Visibility::Admins),
        ]);
        let mut member = person(1, Role::TeamMember, vec![team(1)]);
        let values = json!({"private": "p", "shared": "s"});
        member.attributes = merge(&both, &Map::new(), values.as_object().unwrap(), Writer::Owner).unwrap();
        let shown = |caller: &User| Value::Object(visible_attributes(caller, &member, &both));

        assert_eq!(shown(&member), values);
        assert_eq!(shown(&person(2, Role::ApiOwner, vec![])), values);
        assert_eq!(shown(&person(3, Role::ConsumerAdmin, vec![team(1)])), json!({"shared": "s"}));
        assert_eq!(shown(&person(4, Role::ConsumerAdmin, vec![team(2)])), json!({}));
        assert_eq!(shown(&person(5, Role::TeamMember, vec![team(1)])), json!({}));
    }
}

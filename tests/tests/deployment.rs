//! How `template.yaml` has the portal run: what every function, table and route is given, beside what it is allowed
//! (`permissions.rs`) and what leads where (`template.rs`).
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::collections::{BTreeMap, BTreeSet};

use local_services::{Template, template::referenced};
use serde_json::{Value, json};

mod roles;
mod routes;

use roles::{FOR_LAMBDA, actions, resources, role, statements};
use routes::routes;

/// Seconds after which API Gateway gives up.
const GATEWAY_PATIENCE: u64 = 30;
/// Seconds after which a claim on a mail or a link counts no more: `CLAIM_LIFE` of `shared`.
const CLAIM: u64 = 60;

fn template() -> &'static Template {
    Template::deployed().unwrap()
}

fn globals() -> &'static Value {
    &template().document()["Globals"]["Function"]
}

/// A resource as it stands in the document, with what is beside its properties.
fn whole(logical_id: &str) -> &'static Value {
    &template().document()["Resources"][logical_id]
}

/// The functions that something starts without waiting for them: topics, schedules, and CloudFormation.
fn started_and_left() -> BTreeSet<&'static str> {
    let events = template().events().filter(|event| event.kind != "HttpApi");
    let own = template().resources().filter(|resource| resource.kind.starts_with("Custom::"));
    let called = own.map(|resource| referenced(&resource.properties["ServiceToken"]).unwrap());
    events.map(|event| event.function).chain(called).collect()
}

#[test]
fn every_function_runs_on_the_same_system_and_may_be_built_for_either_processor() {
    assert_eq!((&globals()["Runtime"], &globals()["Handler"]), (&json!("provided.al2023"), &json!("bootstrap")));
    assert_eq!(
        (&globals()["Architectures"], &globals()["MemorySize"]),
        (&json!([{"Ref": "Architecture"}]), &json!(256))
    );
    let processors = &template().document()["Parameters"]["Architecture"];
    assert_eq!((&processors["Default"], &processors["AllowedValues"]), (&json!("arm64"), &json!(["arm64", "x86_64"])));
    for function in template().of_kind("AWS::Serverless::Function") {
        let build = &whole(function.logical_id)["Metadata"];
        let folder = function.properties["CodeUri"].as_str().unwrap();
        assert_eq!(build["BuildMethod"], "rust-cargolambda", "{}", function.logical_id);
        assert_eq!(folder, format!("functions/{}/", build["BuildProperties"]["Binary"].as_str().unwrap()));
        for same in ["Runtime", "Handler", "Architectures", "MemorySize"] {
            assert!(function.properties[same].is_null(), "{} has a {same} of its own", function.logical_id);
        }
    }
}

#[test]
fn a_function_answers_before_api_gateway_gives_up() {
    assert!(globals()["Timeout"].as_u64().unwrap() < GATEWAY_PATIENCE);
    for event in template().events().filter(|event| event.kind == "HttpApi") {
        let function = template().resource(event.function, "AWS::Serverless::Function").unwrap();
        assert!(function.properties["Timeout"].is_null(), "{} takes as long as it likes", event.function);
    }
}

#[test]
fn a_function_that_nobody_waits_for_ends_before_its_claims_do() {
    for function in template().of_kind("AWS::Serverless::Function") {
        let own = function.properties["Timeout"].as_u64();
        assert!(own.is_none_or(|seconds| seconds < CLAIM), "{} outlives its claims", function.logical_id);
    }
}

#[test]
fn mail_that_cannot_be_sent_holds_up_no_other_for_long() {
    let mapping = template().resource("DeliverMailOutbox", "AWS::Lambda::EventSourceMapping").unwrap().properties;
    let expected = [
        ("StartingPosition", json!("TRIM_HORIZON")),
        ("BatchSize", json!(10)),
        ("BisectBatchOnFunctionError", json!(true)),
        ("MaximumRetryAttempts", json!(3)),
        ("MaximumRecordAgeInSeconds", json!(3600)),
    ];
    for (name, value) in expected {
        assert_eq!(mapping[name], value, "{name}");
    }
}

#[test]
fn every_function_is_traced_and_logs_into_a_group_of_its_own_that_is_emptied() {
    assert_eq!((&globals()["Tracing"], &globals()["LoggingConfig"]["LogFormat"]), (&json!("Active"), &json!("JSON")));
    let mut groups = BTreeSet::new();
    for function in template().of_kind("AWS::Serverless::Function") {
        let group = function.properties["LoggingConfig"]["LogGroup"]["Ref"].as_str().unwrap();
        assert!(groups.insert(group), "{group} is of two functions");
    }
    for group in template().of_kind("AWS::Logs::LogGroup") {
        assert_eq!(group.properties["RetentionInDays"], json!({"Ref": "LogRetentionDays"}), "{}", group.logical_id);
        groups.remove(group.logical_id);
    }
    assert_eq!(groups, BTreeSet::new(), "log groups that are not there");
}

#[test]
fn the_sweep_runs_every_five_minutes_and_a_run_that_failed_is_kept() {
    let schedules: Vec<_> = template().events().filter(|event| event.kind == "ScheduleV2").collect();
    let [sweep] = schedules.as_slice() else { panic!("one schedule") };

    assert_eq!(
        (sweep.function, &sweep.properties["ScheduleExpression"]),
        ("ExpireFunction", &json!("rate(5 minutes)"))
    );
    // No longer than until the next run, which does the same work.
    let retry = json!({"MaximumEventAgeInSeconds": 300, "MaximumRetryAttempts": 2});
    assert_eq!(sweep.properties["RetryPolicy"], retry);
    assert_eq!(sweep.properties["DeadLetterConfig"]["Arn"], json!({"Fn::GetAtt": ["FailureQueue", "Arn"]}));
    // Without a role of its own, SAM makes one that may start this function and nothing else: tests/deployed/test_template.py.
    assert_eq!(sweep.properties["RoleArn"], Value::Null);
}

#[test]
fn what_fails_in_a_function_that_nobody_waits_for_is_kept() {
    let queue = json!({"Fn::GetAtt": ["FailureQueue", "Arn"]});
    let left = started_and_left();
    assert_eq!(left, ["BootstrapFunction", "ExpireFunction", "MailFeedbackFunction"].into());
    for function in left {
        let function = template().resource(function, "AWS::Serverless::Function").unwrap();
        let kept = &function.properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"];
        assert_eq!(kept, &queue, "{}", function.logical_id);
    }
    for stream in template().of_kind("AWS::Lambda::EventSourceMapping") {
        assert_eq!(stream.properties["DestinationConfig"]["OnFailure"]["Destination"], queue, "{}", stream.logical_id);
    }
    let subscription = template().events().find(|event| event.kind == "SNS").unwrap();
    assert_eq!(subscription.properties["RedrivePolicy"]["deadLetterTargetArn"], queue);
}

#[test]
fn tables_and_pool_outlive_the_stack_and_tables_can_be_taken_back_in_time() {
    for kind in ["AWS::DynamoDB::Table", "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient"] {
        for resource in template().of_kind(kind) {
            let whole = whole(resource.logical_id);
            for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
                assert_eq!(whole[policy], "Retain", "{policy} of {}", resource.logical_id);
            }
        }
    }
    for table in template().of_kind("AWS::DynamoDB::Table") {
        let (name, table) = (table.logical_id, table.properties);
        assert_eq!(table["DeletionProtectionEnabled"], json!({"Fn::If": ["Protected", true, false]}), "{name}");
        assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true, "{name}");
        assert_eq!(table["SSESpecification"]["SSEEnabled"], true, "{name}");
        assert_eq!(table["BillingMode"], "PAY_PER_REQUEST", "{name}");
        assert_eq!(table["TimeToLiveSpecification"], json!({"AttributeName": "collect_at", "Enabled": true}), "{name}");
    }
    let pool = template().of_kind("AWS::Cognito::UserPool").next().unwrap();
    assert_eq!(pool.properties["UserPoolTier"], "LITE", "docs/operations.md counts with it");
    assert_eq!(pool.properties["DeletionProtection"], json!({"Fn::If": ["Protected", "ACTIVE", "INACTIVE"]}));
    assert_eq!(template().document()["Parameters"]["DeletionProtection"]["Default"], "true");
}

#[test]
fn nobody_gets_past_the_portal_to_the_pool() {
    let pool = template().of_kind("AWS::Cognito::UserPool").next().unwrap().properties;
    let client = template().of_kind("AWS::Cognito::UserPoolClient").next().unwrap().properties;

    assert_eq!(pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"], true);
    let recovery = &pool["AccountRecoverySetting"]["RecoveryMechanisms"];
    assert_eq!(recovery, &json!([{"Name": "admin_only", "Priority": 1}]));
    for of_addresses in ["AliasAttributes", "UsernameAttributes", "AutoVerifiedAttributes"] {
        assert!(pool[of_addresses].is_null(), "{of_addresses}");
    }
    let flows = json!(["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]);
    assert_eq!((&client["ExplicitAuthFlows"], &client["AllowedOAuthFlowsUserPoolClient"]), (&flows, &json!(false)));
    assert_eq!((&client["EnableTokenRevocation"], &client["GenerateSecret"]), (&json!(true), &json!(false)));
    assert_eq!(client["PreventUserExistenceErrors"], "ENABLED");
}

#[test]
fn public_routes_are_throttled_more_tightly_than_the_others() {
    let api = template().of_kind("AWS::Serverless::HttpApi").next().unwrap().properties;
    let limits = |settings: &Value| {
        let limit = |name: &str| settings[name].as_u64().unwrap_or_else(|| panic!("no {name}"));
        (limit("ThrottlingRateLimit"), limit("ThrottlingBurstLimit"))
    };
    let usual = limits(&api["DefaultRouteSettings"]);
    let own: BTreeMap<_, _> = api["RouteSettings"].as_object().unwrap().iter().collect();

    for (route, settings) in &own {
        let (rate, burst) = limits(settings);
        assert!(rate < usual.0 && burst < usual.1, "{route}");
    }
    let public: BTreeSet<_> = routes().iter().filter(|route| route.public).map(routes::Route::key).collect();
    assert_eq!(own.into_keys().cloned().collect::<BTreeSet<_>>(), public);
}

#[test]
fn the_access_log_names_routes_and_nobody() {
    let api = template().of_kind("AWS::Serverless::HttpApi").next().unwrap().properties;
    let format = api["AccessLogSettings"]["Format"].as_str().unwrap();

    // One object of JSON per line.
    let line: Value = serde_json::from_str(format).unwrap();
    assert_eq!(line["route"], "$context.routeKey");
    for told in ["$context.path", "$context.identity", "sourceIp", "userAgent", "$context.authorizer.claims"] {
        assert!(!format.contains(told), "{told} stands in the access log");
    }
}

#[test]
fn what_goes_wrong_raises_an_alarm() {
    let alarms: Vec<_> = template().of_kind("AWS::CloudWatch::Alarm").collect();
    for alarm in &alarms {
        let told = json!({"Fn::If": ["AlarmTopicGiven", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]});
        assert_eq!(alarm.properties["AlarmActions"], told, "{}", alarm.logical_id);
        assert!(alarm.properties["AlarmDescription"].is_string(), "{}", alarm.logical_id);
    }
    // What is watched, by which statistic, and over what it raises an alarm.
    let watched = alarms.iter().filter(|alarm| alarm.properties["Metrics"].is_null()).map(|alarm| {
        let text = |name: &str| alarm.properties[name].as_str().unwrap_or_default();
        assert_eq!(text("ComparisonOperator"), "GreaterThanThreshold", "{}", alarm.logical_id);
        assert_eq!(alarm.properties["EvaluationPeriods"], 1, "{}", alarm.logical_id);
        // Reputation moves slowly; everything else is told of in five minutes.
        let period = if text("Namespace") == "AWS/SES" { 900 } else { 300 };
        assert_eq!(alarm.properties["Period"], period, "{}", alarm.logical_id);
        let of = alarm.properties["Dimensions"].as_array().map_or(&[][..], Vec::as_slice);
        let of = of.iter().map(|of| format!("{} {}", of["Name"].as_str().unwrap(), referenced(&of["Value"]).unwrap()));
        let of = of.collect::<Vec<_>>().join(", ");
        let metric = format!("{} {} {}", text("Namespace"), text("MetricName"), of);
        (metric, text("Statistic"), alarm.properties["Threshold"].to_string(), text("TreatMissingData"))
    });
    let expected = [
        ("AWS/ApiGateway 5xx ApiId Api", "Sum", "5", "notBreaching"),
        // Of the whole account: functions share its concurrency.
        ("AWS/Lambda Throttles ", "Sum", "0", "notBreaching"),
        ("AWS/SES Reputation.BounceRate ses:configuration-set MailConfigurationSet", "Average", "0.05", "ignore"),
        ("AWS/SES Reputation.ComplaintRate ses:configuration-set MailConfigurationSet", "Average", "0.001", "ignore"),
        ("AWS/SQS ApproximateNumberOfMessagesVisible QueueName FailureQueue", "Maximum", "0", "notBreaching"),
    ];
    let expected = expected.map(|(metric, by, over, without)| (metric.to_owned(), by, over.to_owned(), without));
    assert_eq!(watched.collect::<BTreeSet<_>>(), expected.into());
}

#[test]
fn the_errors_of_every_function_raise_exactly_one_alarm_of_at_most_ten_metrics() {
    let mut functions = BTreeSet::new();
    for alarm in template().of_kind("AWS::CloudWatch::Alarm").filter(|alarm| !alarm.properties["Metrics"].is_null()) {
        let (name, alarm) = (alarm.logical_id, alarm.properties);
        assert_eq!((&alarm["ComparisonOperator"], &alarm["Threshold"]), (&json!("GreaterThanThreshold"), &json!(0)));
        assert_eq!((&alarm["EvaluationPeriods"], &alarm["TreatMissingData"]), (&json!(1), &json!("notBreaching")));
        let (sums, metrics): (Vec<_>, Vec<_>) =
            alarm["Metrics"].as_array().unwrap().iter().partition(|metric| metric["ReturnData"] == true);
        assert_eq!(sums.iter().map(|sum| sum["Expression"].as_str().unwrap()).collect::<Vec<_>>(), ["SUM(METRICS())"]);
        assert!(metrics.len() <= 10, "{name} has more metrics than an alarm may");
        for metric in metrics {
            let (statistic, period) = (&metric["MetricStat"]["Stat"], &metric["MetricStat"]["Period"]);
            let metric = &metric["MetricStat"]["Metric"];
            assert_eq!(period, 300, "{name}");
            assert_eq!(
                (statistic, &metric["Namespace"], &metric["MetricName"]),
                (&json!("Sum"), &json!("AWS/Lambda"), &json!("Errors"))
            );
            let [function] = metric["Dimensions"].as_array().unwrap().as_slice() else { panic!("{name}: {metric}") };
            assert_eq!(function["Name"], "FunctionName");
            assert!(functions.insert(referenced(&function["Value"]).unwrap()), "{function} is in two alarms");
        }
    }
    let all = template().of_kind("AWS::Serverless::Function").map(|function| function.logical_id);
    assert_eq!(functions, all.collect());
}

#[test]
fn rights_are_named_one_by_one_and_wildcards_are_the_known_ones() {
    let known = [
        // The sender is a setting: which identity it belongs to is not known at a deployment.
        ":identity/*",
        // Streams of a table are listed together, not one by one.
        "/stream/*",
    ];
    for function in template().of_kind("AWS::Serverless::Function") {
        for statement in statements(&function) {
            assert!(actions(statement).all(|action| !action.contains('*')), "{statement} of {}", function.logical_id);
            for resource in resources(statement) {
                let known = known.iter().fold(resource.to_string(), |left, known| left.replace(known, ""));
                assert!(!known.contains('*'), "{known} of {}", function.logical_id);
            }
        }
    }
}

#[test]
fn every_role_is_the_templates_own_and_may_be_bounded() {
    let boundary = json!({"Fn::If": ["BoundaryGiven", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]});
    let mut roles = BTreeSet::new();
    for function in template().of_kind("AWS::Serverless::Function") {
        let role = role(&function);
        assert!(roles.insert(role.logical_id), "{} is of two functions", role.logical_id);
        assert_eq!(role.properties["PermissionsBoundary"], boundary, "{}", role.logical_id);
        assert_eq!(role.properties["ManagedPolicyArns"], json!([{"Ref": "TracePolicy"}]), "{}", role.logical_id);
        // SAM would add its own rights to those of a role that it makes.
        assert!(function.properties["Policies"].is_null(), "{}", function.logical_id);
    }
    assert_eq!(roles, template().of_kind("AWS::IAM::Role").map(|role| role.logical_id).collect());
    let sweep = template().events().find(|event| event.kind == "ScheduleV2").unwrap();
    assert_eq!(sweep.properties["PermissionsBoundary"], boundary);

    // The one wildcard that stands alone: AWS knows no resources for it.
    let policy = template().resource("TracePolicy", "AWS::IAM::ManagedPolicy").unwrap();
    let actions = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"];
    let expected = json!([{"Sid": "Traces", "Effect": "Allow", "Action": actions, "Resource": "*"}]);
    assert_eq!(policy.properties["PolicyDocument"]["Statement"], expected);
}

#[test]
fn what_lambda_does_in_a_functions_name_is_allowed_to_the_function_that_needs_it() {
    let left = started_and_left();
    for function in template().of_kind("AWS::Serverless::Function") {
        let name = function.logical_id;
        let for_lambda =
            statements(&function).filter(|statement| actions(statement).any(|one| FOR_LAMBDA.contains(&one)));
        let found: BTreeSet<_> = for_lambda
            .flat_map(|statement| actions(statement).map(|action| (action, statement["Resource"].to_string())))
            .collect();

        let attribute = |of: &Value, attribute: &str| json!({"Fn::GetAtt": [of, attribute]}).to_string();
        let group = &function.properties["LoggingConfig"]["LogGroup"]["Ref"];
        let mut expected: BTreeSet<_> =
            ["logs:CreateLogStream", "logs:PutLogEvents"].map(|action| (action, attribute(group, "Arn"))).into();
        let streams = name == "DeliverMailFunction";
        if streams {
            let reading = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"];
            expected.extend(reading.map(|action| (action, attribute(&json!("MailTable"), "StreamArn"))));
            expected.insert(("dynamodb:ListStreams", json!({"Fn::Sub": "${MailTable.Arn}/stream/*"}).to_string()));
        }
        if streams || left.contains(name) {
            expected.insert(("sqs:SendMessage", attribute(&json!("FailureQueue"), "Arn")));
        }
        assert_eq!(found, expected, "{name}");
    }
}

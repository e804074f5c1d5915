# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ec2_network_acl_ipv6 against the emulator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import existing_networks as existing
import pytest
from harness import Player, operations

MODULE = "ec2_network_acl_ipv6"
Aws = Callable[..., Any]
QUIET = {"path_mtu_discovery": False}


def acl(ec2: Any, network: existing.Network, subnet_id: str | None = None, name: str | None = None) -> str:
    """An ACL with nothing but what denies the rest; with a subnet, that one's."""
    made = str(ec2.create_network_acl(VpcId=network.vpc_id)["NetworkAcl"]["NetworkAclId"])
    if name:
        ec2.create_tags(Resources=[made], Tags=[{"Key": "Name", "Value": name}])
    if subnet_id:
        filters = [{"Name": "association.subnet-id", "Values": [subnet_id]}]
        for entry in ec2.describe_network_acls(Filters=filters)["NetworkAcls"][0]["Associations"]:
            if entry["SubnetId"] == subnet_id:
                ec2.replace_network_acl_association(AssociationId=entry["NetworkAclAssociationId"], NetworkAclId=made)
    return made


def put(ec2: Any, acl_id: str, number: int, action: str, protocol: str, cidr: str, **more: Any) -> None:
    """Adds an entry; `egress`, `ports` and `icmp` as given."""
    block = {"Ipv6CidrBlock" if ":" in cidr else "CidrBlock": cidr}
    if "ports" in more:
        block |= {"PortRange": {"From": more["ports"][0], "To": more["ports"][1]}}
    if "icmp" in more:
        block |= {"IcmpTypeCode": {"Type": more["icmp"][0], "Code": more["icmp"][1]}}
    ec2.create_network_acl_entry(
        NetworkAclId=acl_id,
        RuleNumber=number,
        RuleAction=action,
        Protocol=protocol,
        Egress=more.get("egress", False),
        **block,
    )


def entries(ec2: Any, acl_id: str, egress: bool = False) -> dict[int, tuple[str, str, str, Any]]:
    """The IPv6 entries of one direction by number."""
    found = {}
    for item in ec2.describe_network_acls(NetworkAclIds=[acl_id])["NetworkAcls"][0]["Entries"]:
        if item.get("Ipv6CidrBlock") and item["Egress"] is egress and item["RuleNumber"] < 32767:
            ports, icmp = item.get("PortRange"), item.get("IcmpTypeCode")
            detail = (ports["From"], ports["To"]) if ports else (icmp["Type"], icmp["Code"]) if icmp else None
            found[item["RuleNumber"]] = (item["RuleAction"], item["Protocol"], item["Ipv6CidrBlock"], detail)
    return found


def tags(ec2: Any, acl_id: str) -> dict[str, str]:
    found = ec2.describe_network_acls(NetworkAclIds=[acl_id])["NetworkAcls"][0]["Tags"]
    return {tag["Key"]: tag["Value"] for tag in found}


def web(ec2: Any, network: existing.Network, **more: Any) -> str:
    """An ACL as many have it."""
    made = acl(ec2, network, **more)
    put(ec2, made, 90, "deny", "6", "0.0.0.0/0", ports=(23, 23))
    put(ec2, made, 100, "allow", "6", "0.0.0.0/0", ports=(443, 443))
    put(ec2, made, 110, "allow", "-1", "10.9.0.0/16")
    put(ec2, made, 120, "allow", "1", "0.0.0.0/0", icmp=(8, -1))
    put(ec2, made, 100, "allow", "6", "0.0.0.0/0", ports=(1024, 65535), egress=True)
    return made


def test_entries_mirror_the_ipv4_ones_in_their_order(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    made = web(ec2, old)
    before = existing.ipv4(ec2)
    result = player.converge(MODULE, network_acl_ids=[made])
    assert entries(ec2, made) == {
        89: ("allow", "58", "::/0", (2, 0)),
        91: ("deny", "6", "::/0", (23, 23)),
        101: ("allow", "6", "::/0", (443, 443)),
        111: ("allow", "-1", old.block, None),
        121: ("allow", "58", "::/0", (128, -1)),
    }
    assert entries(ec2, made, egress=True) == {
        99: ("allow", "58", "::/0", (2, 0)),
        101: ("allow", "6", "::/0", (1024, 65535)),
    }
    assert tags(ec2, made) == {
        "eksops.ipv6/ingress-entries": "89 91 101 111 121",
        "eksops.ipv6/egress-entries": "99 101",
    }
    made_entries = [step for step in result["plan"] if step["operation"] == "CreateNetworkAclEntry"]
    assert [step["risk"] for step in made_entries] == ["safe"] * 6 + ["disruptive"]
    assert [{**item, "Tags": None} for item in existing.ipv4(ec2)[4]["NetworkAcls"]] == [
        {**item, "Tags": None} for item in before[4]["NetworkAcls"]
    ]


def test_the_default_acl_that_aws_extended_is_left_as_it_is(player: Player, aws: Aws) -> None:
    old = existing.make(aws("ec2"))
    result = player.unchanged(MODULE, vpc_id=old.vpc_id)
    assert [entry["rule_number"] for entry in result["network_acls"][0]["ipv6_entries"]] == [101, 101]
    assert {entry["own"] for entry in result["network_acls"][0]["ipv6_entries"]} == {False}


def test_numbers_keep_the_order_where_there_is_little_room(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    made = acl(ec2, old)
    for number, port in ((1, 1), (2, 2), (3, 3), (7, 7)):
        put(ec2, made, number, "allow", "6", "0.0.0.0/0", ports=(port, port))
    put(ec2, made, 8, "deny", "6", "2001:db8::/64", ports=(8, 8))
    player.converge(MODULE, network_acl_ids=[made], **QUIET)
    found = entries(ec2, made)
    order = [found[number][3] for number in sorted(found) if number != 8]
    assert order == [(1, 1), (2, 2), (3, 3), (7, 7)]
    assert sorted(found) == [4, 5, 6, 8, 9]
    assert "no free rule number" in player.refuses(MODULE, network_acl_ids=[made])


def test_an_entry_of_somebody_else_serves_where_it_stands_in_order(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    made = acl(ec2, old)
    put(ec2, made, 100, "allow", "6", "0.0.0.0/0", ports=(443, 443))
    put(ec2, made, 110, "allow", "6", "0.0.0.0/0", ports=(80, 80))
    put(ec2, made, 300, "allow", "6", "::/0", ports=(80, 80))
    player.converge(MODULE, network_acl_ids=[made], **QUIET)
    assert sorted(entries(ec2, made)) == [101, 300]
    assert tags(ec2, made) == {"eksops.ipv6/ingress-entries": "101"}
    player.converge(MODULE, network_acl_ids=[made], state="absent")
    assert (sorted(entries(ec2, made)), tags(ec2, made)) == ([300], {})


def test_packets_too_big_pass_unless_somebody_denies_them(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    made = acl(ec2, old)
    put(ec2, made, 100, "allow", "6", "0.0.0.0/0", ports=(443, 443))
    put(ec2, made, 50, "deny", "58", "::/0", icmp=(-1, -1))
    result = player.converge(MODULE, network_acl_ids=[made])
    assert sorted(entries(ec2, made)) == [50, 101]
    assert "entry 50" in result["warnings"][0]
    assert entries(ec2, made, egress=True) == {99: ("allow", "58", "::/0", (2, 0))}
    closed = acl(ec2, old)
    player.unchanged(MODULE, network_acl_ids=[closed])


def test_answers_come_back_through_the_ephemeral_ports(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    made = acl(ec2, old)
    put(ec2, made, 100, "allow", "-1", "0.0.0.0/0", egress=True)
    put(ec2, made, 100, "allow", "-1", "10.9.0.0/16")
    told = player.check(MODULE, network_acl_ids=[made], **QUIET)
    assert "answers are dropped" in told["warnings"][0]
    player.converge(MODULE, network_acl_ids=[made], ephemeral_ports={"from_port": 32768}, **QUIET)
    assert entries(ec2, made) == {
        98: ("allow", "6", "::/0", (32768, 65535)),
        99: ("allow", "17", "::/0", (32768, 65535)),
        101: ("allow", "-1", old.block, None),
    }


def test_entries_without_a_twin_are_shown(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    made = acl(ec2, old)
    put(ec2, made, 50, "deny", "-1", "203.0.113.0/24")
    put(ec2, made, 60, "allow", "1", "0.0.0.0/0", icmp=(13, -1))
    result = player.unchanged(MODULE, network_acl_ids=[made])
    assert [entry["rule_number"] for entry in result["untwinned"]] == [50, 60]
    assert "203.0.113.0/24" in result["warnings"][0]
    mapping = [{"ipv4_cidr": "203.0.113.0/24", "ipv6_cidrs": ["2001:DB8:0::/48"]}]
    player.converge(MODULE, network_acl_ids=[made], mapping=mapping)
    assert entries(ec2, made) == {51: ("deny", "-1", "2001:db8::/48", None)}


def test_changed_and_stale_entries(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    made = web(ec2, old)
    player(MODULE, network_acl_ids=[made], **QUIET)
    ec2.delete_network_acl_entry(NetworkAclId=made, RuleNumber=100, Egress=False)
    put(ec2, made, 100, "allow", "6", "0.0.0.0/0", ports=(8443, 8443))
    ec2.delete_network_acl_entry(NetworkAclId=made, RuleNumber=110, Egress=False)
    result = player.converge(MODULE, network_acl_ids=[made], **QUIET)
    assert [(step["operation"], step["risk"]) for step in result["plan"]] == [("ReplaceNetworkAclEntry", "disruptive")]
    assert [entry["rule_number"] for entry in result["stale_twins"]] == [111]
    assert "purge_twins" in result["warnings"][-1]
    assert 111 in entries(ec2, made)
    result = player.converge(MODULE, network_acl_ids=[made], purge_twins=True, **QUIET)
    assert operations(result["plan"]) == [("ec2", "DeleteNetworkAclEntry"), ("ec2", "CreateTags")]
    assert 111 not in entries(ec2, made)
    assert tags(ec2, made)["eksops.ipv6/ingress-entries"] == "91 101 121"


def test_one_direction_alone(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    made = web(ec2, old)
    player.converge(MODULE, network_acl_ids=[made], twins=["egress"])
    assert (entries(ec2, made), sorted(entries(ec2, made, egress=True))) == ({}, [99, 101])
    player(MODULE, network_acl_ids=[made])
    player.unchanged(MODULE, network_acl_ids=[made], twins=["egress"], purge_twins=True)


def test_an_acl_is_never_found_by_name(player: Player, aws: Aws) -> None:
    """amazon.aws.ec2_vpc_nacl finds a network ACL by its Name tag in any VPC, and edits another VPC's."""
    ec2 = aws("ec2")
    one, other = existing.make(ec2), existing.make(ec2, cidr="10.8.0.0/16")
    mine, theirs = web(ec2, one, name="web"), web(ec2, other, name="web")
    player.converge(MODULE, vpc_id=one.vpc_id)
    assert entries(ec2, mine) and not entries(ec2, theirs)


def test_omitted_subnets_stay_where_they_are(player: Player, aws: Aws) -> None:
    """amazon.aws.ec2_vpc_nacl moves all subnets to the default ACL when its subnets are not given."""
    ec2 = aws("ec2")
    old = existing.make(ec2)
    made = web(ec2, old, subnet_id=old.subnets[0])
    result = player.converge(MODULE, network_acl_ids=[made])
    assert result["network_acls"][0]["subnet_ids"] == [old.subnets[0]]
    live = ec2.describe_network_acls(NetworkAclIds=[made])["NetworkAcls"][0]["Associations"]
    assert [entry["SubnetId"] for entry in live] == [old.subnets[0]]


def test_all_protocols_are_minus_one(player: Player, aws: Aws) -> None:
    """amazon.aws.ec2_vpc_nacl documents the protocol '-1', and fails on it."""
    ec2 = aws("ec2")
    old = existing.make(ec2)
    made = acl(ec2, old)
    put(ec2, made, 100, "allow", "-1", "0.0.0.0/0")
    player.converge(MODULE, network_acl_ids=[made], **QUIET)
    assert entries(ec2, made) == {101: ("allow", "-1", "::/0", None)}


@pytest.mark.parametrize("spelling", ["2001:DB8:0:1::/64", "2001:db8:0:1:0:0:0:0/64"])
def test_another_spelling_is_no_change(player: Player, aws: Aws, spelling: str) -> None:
    """amazon.aws.ec2_vpc_nacl compares blocks as text."""
    ec2 = aws("ec2")
    old = existing.make(ec2)
    made = acl(ec2, old)
    put(ec2, made, 100, "allow", "-1", "198.51.100.0/24")
    pair = {"ipv4_cidr": "198.51.100.0/24", "ipv6_cidrs": ["2001:db8:0:1::/64"]}
    player(MODULE, network_acl_ids=[made], mapping=[pair], **QUIET)
    player.unchanged(MODULE, network_acl_ids=[made], mapping=[{**pair, "ipv6_cidrs": [spelling]}], **QUIET)


def test_acls_by_their_subnets(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    made = web(ec2, old, subnet_id=old.subnets[0])
    result = player.converge(MODULE, subnet_ids=[old.subnets[0]])
    assert [item["id"] for item in result["network_acls"]] == [made]
    shared = player.unchanged(MODULE, subnet_ids=[old.subnets[1]])
    assert old.subnets[2] in shared["warnings"][-1]


@pytest.mark.parametrize(("room", "refused"), [(20, False), (16, False), (15, True)])
def test_the_quota_is_kept(player: Player, aws: Aws, room: int, refused: bool) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    made = acl(ec2, old)
    for number in range(100, 170, 10):
        put(ec2, made, number, "allow", "6", "0.0.0.0/0", ports=(number, number))
    # seven of each family, and what denies the rest in each
    if refused:
        msg = player.refuses(MODULE, network_acl_ids=[made], max_entries=room, **QUIET)
        assert "16 ingress entries" in msg and "max_entries" in msg
    else:
        player.converge(MODULE, network_acl_ids=[made], max_entries=room, **QUIET)


def test_in_a_full_acl_stale_twins_make_room_first(player: Player, aws: Aws) -> None:
    """The emulator has the quota of 20 entries in one direction, like AWS."""
    ec2 = aws("ec2")
    old = existing.make(ec2)
    made = acl(ec2, old)
    for number in range(100, 190, 10):
        put(ec2, made, number, "allow", "6", "0.0.0.0/0", ports=(number, number))
    player.converge(MODULE, network_acl_ids=[made], **QUIET)
    ec2.delete_network_acl_entry(NetworkAclId=made, RuleNumber=100, Egress=False)
    put(ec2, made, 300, "allow", "6", "0.0.0.0/0", ports=(300, 300))
    assert "21 ingress entries" in player.refuses(MODULE, network_acl_ids=[made], **QUIET)
    result = player.converge(MODULE, network_acl_ids=[made], purge_twins=True, **QUIET)
    steps = [step["operation"] for step in result["plan"] if "Entry" in step["operation"]]
    assert steps == ["DeleteNetworkAclEntry", "CreateNetworkAclEntry"]
    assert entries(ec2, made)[301] == ("allow", "6", "::/0", (300, 300))
    player.emulator.network_acl_quota(40)
    put(ec2, made, 310, "allow", "6", "0.0.0.0/0", ports=(310, 310))
    player.converge(MODULE, network_acl_ids=[made], max_entries=40, **QUIET)


def test_absent_deletes_what_was_added_and_nothing_else(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    made = web(ec2, old)
    put(ec2, made, 500, "allow", "6", "2001:db8::/64", ports=(1, 2))
    before, default = entries(ec2, made), player.check(MODULE, vpc_id=old.vpc_id)["network_acls"]
    player(MODULE, vpc_id=old.vpc_id)
    result = player.converge(MODULE, vpc_id=old.vpc_id, state="absent")
    assert result["plan"][-1]["operation"] == "DeleteTags"
    assert (entries(ec2, made), entries(ec2, made, egress=True), tags(ec2, made)) == (before, {}, {})
    assert player.check(MODULE, vpc_id=old.vpc_id)["network_acls"] == default


def test_the_facts_of_check_mode_are_those_of_the_run(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    made = web(ec2, old)
    predicted = player.check(MODULE, network_acl_ids=[made])["network_acls"]
    assert player(MODULE, network_acl_ids=[made])["network_acls"] == predicted
    assert player(MODULE, network_acl_ids=[made])["network_acls"] == predicted


def test_what_earlier_tasks_have_planned_is_taken_as_done(player: Player, aws: Aws) -> None:
    """Tasks of one play that name an ACL predict together what they then do, one after the other."""
    ec2 = aws("ec2")
    old = existing.make(ec2)
    made = web(ec2, old)
    put(ec2, made, 130, "allow", "6", "198.51.100.0/24", ports=(22, 22))
    pair = {"ipv4_cidr": "198.51.100.0/24", "ipv6_cidrs": ["2001:db8:1::/48"]}
    documents: list[dict[str, Any]] = [
        {"network_acl_ids": [made], "twins": ["ingress"], **QUIET},
        {"vpc_id": old.vpc_id, "mapping": [pair]},
        {"network_acl_ids": [made], "mapping": [pair], "ephemeral_ports": {"from_port": 1024}},
        {"network_acl_ids": [made], "purge_twins": True},
        {"vpc_id": old.vpc_id, "state": "absent"},
        {"network_acl_ids": [made], "state": "absent"},
    ]
    planned: list[dict[str, Any]] = []
    predicted = []
    for document in documents:
        told = player.check(MODULE, **document, planned=planned)
        planned += told["network_acls"]
        predicted.append(told["plan"])
    assert [player(MODULE, **document, planned=planned)["plan"] for document in documents] == predicted
    assert [bool(plan) for plan in predicted] == [True, True, True, True, True, False]


def test_unchanged_acls_are_read_with_one_call_a_type(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    made = web(ec2, old)
    player(MODULE, vpc_id=old.vpc_id)
    for named in ({"vpc_id": old.vpc_id}, {"network_acl_ids": [made]}, {"subnet_ids": old.subnets}):
        player.emulator.journal.clear()
        player.unchanged(MODULE, **named)
        calls = Counter(call.operation for call in player.emulator.journal.calls)
        assert calls == {"DescribeNetworkAcls": 1, "DescribeVpcs": 1}


@pytest.mark.parametrize("change", [{}, {"state": "absent"}, {"purge_twins": True}], ids=["add", "absent", "purge"])
def test_a_run_stopped_after_any_write_is_finished_by_the_next(
    player: Player, aws: Aws, change: dict[str, Any]
) -> None:
    ec2 = aws("ec2")

    def arranged() -> str:
        player.emulator.reset()
        made = web(ec2, existing.make(ec2, subnets=1))
        if change:
            player(MODULE, network_acl_ids=[made])
            for number in (90, 100):
                ec2.delete_network_acl_entry(NetworkAclId=made, RuleNumber=number, Egress=False)
        return made

    def shape(made: str) -> Any:
        keyed = {key: value[:2] for key, value in entries(ec2, made).items()}
        return keyed, sorted(entries(ec2, made, egress=True)), tags(ec2, made)

    made = arranged()
    total = len(player(MODULE, network_acl_ids=[made], **change)["plan"])
    whole = shape(made)
    for stopped_after in range(total):
        made = arranged()
        player.emulator.fault(kind="halt", after=stopped_after, count=None)
        assert len(player.fails(MODULE, network_acl_ids=[made], **change)["plan"]) == stopped_after
        player.emulator.faults.clear()
        player.converge(MODULE, network_acl_ids=[made], **change)
        assert shape(made) == whole


def test_throttling_and_lost_replies_are_survived(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    made = web(ec2, existing.make(ec2))
    player.emulator.fault("ec2", "CreateNetworkAclEntry", "throttle", count=2)
    player.emulator.fault("ec2", "DescribeNetworkAcls", "throttle", count=1)
    player.emulator.fault("ec2", "CreateTags", "lost_reply", count=1)
    player(MODULE, network_acl_ids=[made])
    player.unchanged(MODULE, network_acl_ids=[made])
    player.emulator.fault("ec2", "DeleteNetworkAclEntry", "lost_reply", count=1)
    player(MODULE, network_acl_ids=[made], state="absent")
    player.unchanged(MODULE, network_acl_ids=[made], state="absent")


BAD = {
    "an unknown VPC": ({"vpc_id": "vpc-00000000"}, ["vpc_id", "vpc-00000000"]),
    "an unknown ACL": ({"network_acl_ids": ["acl-00000000"]}, ["network_acl_ids[0]", "acl-00000000"]),
    "an unknown subnet": ({"subnet_ids": ["subnet-00000000"]}, ["subnet_ids[0]", "subnet-00000000"]),
    "a mapping of no range": (
        {"vpc_id": "vpc-1", "mapping": [{"ipv4_cidr": "::/0", "ipv6_cidrs": []}]},
        ["mapping[0].ipv4_cidr", "no IPv4"],
    ),
    "no range of ports": (
        {"vpc_id": "vpc-1", "ephemeral_ports": {"from_port": 5, "to_port": 4}},
        ["ephemeral_ports", "5 to 4"],
    ),
    "no room at all": ({"vpc_id": "vpc-1", "max_entries": 0}, ["max_entries"]),
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_documents_are_refused_before_any_write(player: Player, name: str) -> None:
    options, says = BAD[name]
    msg = player.refuses(MODULE, **options)
    assert [part for part in says if part not in msg] == [], msg


def test_acls_of_a_vpc_to_come_are_told_to_be_left_out_of_the_plan(player: Player) -> None:
    told = ["pending:vpc/production is yet to be made: nothing is planned for its network ACLs."]
    assert player.check(MODULE, vpc_id="pending:vpc/production")["warnings"] == told

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IModelLedger as I, Model} from "../../../contracts/interfaces/IModelLedger.sol";
import {Contribution} from "../../../contracts/types/Contribution.sol";
import {Training} from "../support/Training.sol";
import {Log, bound, vm} from "../support/Vm.sol";

/// @notice What a reader of the events knows of one round.
struct Told {
    bytes32 parent;
    bytes32 aggregate;
    uint32 updates;
    bool finalised;
}

/// @notice Models of two coordinators, trained by two sites, mostly well and often badly. Whatever is taken is read from
/// the events, as an auditor reads them, and held against the rule; whatever breaks the rule must be refused.
contract ModelHandler is Training {
    uint256 private constant MODELS = 3;

    mapping(bytes32 what => uint256) public reached;

    uint32 private _count;
    mapping(uint32 model => Model) private _terms;
    mapping(uint32 model => uint32) private _rounds;
    mapping(uint32 model => mapping(uint32 round => Told)) private _told;
    mapping(uint32 model => mapping(uint32 round => mapping(address site => bool))) private _committed;
    mapping(uint32 model => mapping(address site => uint256)) private _spent;
    /// @dev What the next round starts from, as told.
    mapping(uint32 model => bytes32) private _due;

    constructor() {
        gather();
        registerModel(0);
    }

    // What coordinators and sites do

    function registerModel(uint256 seed) public {
        if (_count == MODELS) return;
        address who = seed & 1 == 0 ? coordinator : otherSite;
        uint32 least = uint32(bound(seed >> 8, 1, 5));
        _require(true, who, abi.encodeCall(models.register, (8, 0x42, least, uint32(bound(seed >> 16, 100, 600)), "c")));
        ++reached["registered"];
    }

    function openRound(uint256 seed) external {
        uint32 model = _anyModel(seed);
        address who = seed >> 8 & 7 == 0 ? otherSite : _terms[model].coordinator;
        bytes32 parent = seed >> 16 & 7 == 0 ? bytes32(seed) : _present(model);
        bool free = _rounds[model] == 0 || _newest(model).finalised;
        bool due = who == _terms[model].coordinator && free && (_rounds[model] == 0 || parent == _present(model));
        _require(due, who, abi.encodeCall(models.openRound, (model, parent == 0 ? BEGINNING : parent)));
        ++reached[due ? bytes32("opened") : free ? bytes32("opened badly") : bytes32("opened too early")];
    }

    function commitUpdate(uint256 seed) external {
        uint32 model = _anyModel(seed);
        uint32 round = _rounds[model];
        if (seed >> 8 & 7 == 0) round = uint32(bound(seed >> 16, 0, round + 1));
        bytes32 parent = seed >> 24 & 7 == 0 ? bytes32(seed) : _present(model);
        uint32 cohort = uint32(bound(seed >> 32, seed >> 40 & 7 == 0 ? 0 : _terms[model].minimumCohort, 6));
        uint32 epsilon = uint32(bound(seed >> 48, seed >> 56 & 7 == 0 ? 0 : 1, 90));
        _commit(_anySite(seed >> 64), model, parent, contribution(model, round, cohort, epsilon));
    }

    function finaliseRound(uint256 seed) external {
        uint32 model = _anyModel(seed);
        uint32 round = _rounds[model];
        address who = seed >> 8 & 7 == 0 ? otherSite : _terms[model].coordinator;
        if (seed >> 16 & 7 == 0) round = uint32(bound(seed >> 24, 0, round + 1));
        uint32 updates = _newest(model).updates;
        if (seed >> 32 & 7 == 0) updates = uint32(bound(seed >> 40, 0, 3));
        _finalise(who, model, round, keccak256(abi.encode(seed)), updates);
    }

    /// @dev Between rounds a model goes back, and at any time what it made is accepted; often neither may be.
    function remediate(uint256 seed) external {
        uint32 model = _anyModel(seed);
        bool retrained = seed >> 8 & 1 == 0;
        bool between = _rounds[model] == 0 || _newest(model).finalised;
        uint32 last = between ? _rounds[model] : _rounds[model] - 1;
        uint32 first = uint32(bound(seed >> 16, seed >> 24 & 7 == 0 ? 0 : 1, last + (seed >> 32 & 7 == 0 ? 1 : 0) + 1));
        if (last != 0 && seed >> 40 & 3 != 0) first = uint32(bound(seed >> 16, 1, last));
        address who = seed >> 48 & 7 == 0 ? otherSite : _terms[model].coordinator;
        bytes32 record = seed >> 56 & 7 == 0 ? bytes32(0) : bytes32(seed | 1);
        bool due = who == _terms[model].coordinator && first != 0 && first <= last && record != 0;
        if (retrained) due = due && between;
        bytes memory call = retrained
            ? abi.encodeCall(models.retrain, (model, first, record))
            : abi.encodeCall(models.accept, (model, first, record));
        _require(due, who, call);
        ++reached[due ? retrained ? bytes32("retrained") : bytes32("accepted") : bytes32("remediated badly")];
    }

    /// @dev A whole round, in which all goes well once a site's three mistakes were refused.
    function train(uint256 seed) external {
        uint32 model = _anyModel(seed);
        address leads = _terms[model].coordinator;
        if (_rounds[model] == 0 || _newest(model).finalised) {
            bytes32 parent = _rounds[model] == 0 ? BEGINNING : _present(model);
            _require(true, leads, abi.encodeCall(models.openRound, (model, parent)));
        }
        uint32 round = _rounds[model];
        uint32 epsilon = uint32(bound(seed >> 8, 1, 90));
        _commit(researcher, model, MADE, contribution(model, round, 6, epsilon));
        _commit(researcher, model, _present(model), contribution(model, round, 0, epsilon));
        _commit(researcher, model, _present(model), contribution(model, round, 6, 0));
        _commit(researcher, model, _present(model), contribution(model, round, 6, epsilon));
        _commit(otherSite, model, _present(model), contribution(model, round, 6, epsilon));
        _finalise(leads, model, round, keccak256(abi.encode(seed)), _newest(model).updates);
    }

    /// @dev While a party or its organisation is suspended, nothing of its is taken.
    function actSuspended(uint256 seed) external {
        uint32 model = _anyModel(seed);
        address site = seed & 1 == 0 ? researcher : otherSite;
        address stopped = site == researcher && seed >> 8 & 1 == 0 ? clinic : site;
        Contribution said = contribution(model, _rounds[model], 6, 1);
        suspend(stopped);
        _require(false, site, abi.encodeCall(models.commitUpdate, ("update", _present(model), "c", "r", said)));
        steward(abi.encodeCall(members.reinstate, (stopped)));
        suspend(hospital);
        _require(false, coordinator, abi.encodeCall(models.openRound, (model, _present(model))));
        uint32 updates = _newest(model).updates;
        _require(
            false, coordinator, abi.encodeCall(models.finaliseAggregate, (model, _rounds[model], MADE, "r", updates))
        );
        steward(abi.encodeCall(members.reinstate, (hospital)));
        ++reached["suspended"];
    }

    // What the invariants ask

    function requireModels() external view {
        vm.assertEq(models.modelCount(), _count, "a model came or went unseen");
        for (uint32 number = 1; number <= _count; ++number) {
            Model memory model = models.modelOf(number);
            Told storage newest = _newest(number);
            vm.assertEq(_termsOf(model), _termsOf(_terms[number]), "terms changed");
            vm.assertEq(model.round, _rounds[number], "round");
            vm.assertTrue(model.open == (_rounds[number] != 0 && !newest.finalised), "open");
            vm.assertEq(model.updates, newest.updates, "updates");
            vm.assertEq(model.aggregate, _present(number), "aggregate");
            _requireSpent(number, researcher);
            _requireSpent(number, otherSite);
        }
    }

    // Parts

    function _commit(address site, uint32 model, bytes32 parent, Contribution said) private {
        bytes32 fault = _fault(site, model, parent, said);
        bytes memory call = abi.encodeCall(models.commitUpdate, (keccak256(abi.encode(site)), parent, "c", "r", said));
        _require(fault == 0, site, call);
        ++reached[fault == 0 ? bytes32("committed") : fault];
    }

    /// @dev What the rule has against an update, if anything.
    function _fault(address site, uint32 model, bytes32 parent, Contribution said) private view returns (bytes32) {
        if (site != researcher && site != otherSite) return "no site";
        if (said.round() == 0 || said.round() != _rounds[model]) return "another round";
        if (_newest(model).finalised) return "late";
        if (_committed[model][said.round()][site]) return "again";
        if (parent != _newest(model).parent) return "stale";
        if (said.cohort() < _terms[model].minimumCohort) return "few";
        if (said.epsilon() == 0) return "free";
        if (_spent[model][site] + said.epsilon() > _terms[model].budget) return "over budget";
        return 0;
    }

    function _finalise(address who, uint32 model, uint32 round, bytes32 aggregate, uint32 updates) private {
        Told storage newest = _newest(model);
        bool due = who == _terms[model].coordinator && round != 0 && round == _rounds[model] && !newest.finalised
            && newest.updates != 0 && updates == newest.updates;
        _require(due, who, abi.encodeCall(models.finaliseAggregate, (model, round, aggregate, "record", updates)));
        ++reached[due ? bytes32("finalised") : bytes32("finalised badly")];
        if (due && round > 1) ++reached["chained"];
    }

    /// @dev Makes the call, reads what it told, and requires that it was taken or refused.
    function _require(bool due, address who, bytes memory call) private {
        vm.recordLogs();
        vm.prank(who);
        (bool taken,) = address(models).call(call);
        Log[] memory logs = vm.getRecordedLogs();
        vm.assertTrue(logs.length == (taken ? 1 : 0), "not told, or told what was not");
        if (taken) _read(logs[0], who);
        vm.assertTrue(taken == due, due ? "refused against the rule" : "taken against the rule");
    }

    /// @dev Reads an event as an auditor does, and holds it against all that was told before.
    function _read(Log memory log, address who) private {
        uint32 model = uint32(uint256(log.topics[1]));
        uint32 round = uint32(uint256(log.topics[2]));
        Told storage told = _told[model][round];
        if (log.topics[0] == I.ModelRegistered.selector) {
            vm.assertEq(model, ++_count, "a number out of order");
            Model storage terms = _terms[model];
            terms.coordinator = who;
            (terms.purpose, terms.categories, terms.minimumCohort, terms.budget,) =
                abi.decode(log.data, (uint8, uint32, uint32, uint32, bytes32));
        } else if (log.topics[0] == I.RoundOpened.selector) {
            vm.assertEq(round, ++_rounds[model], "a round out of turn");
            told.parent = bytes32(log.data);
            Told storage before = _told[model][round - 1];
            vm.assertTrue(round == 1 || before.finalised, "a round before the former is finalised");
            vm.assertTrue(round == 1 || told.parent == _due[model], "an aggregate left the chain");
            _due[model] = told.parent;
        } else if (log.topics[0] == I.UpdateCommitted.selector) {
            _readUpdate(log, model, round);
        } else if (log.topics[0] == I.Remediated.selector) {
            _readRemediation(log, model, round, who);
        } else {
            (told.aggregate,,) = abi.decode(log.data, (bytes32, bytes32, uint32));
            vm.assertTrue(told.parent != 0 && !told.finalised, "finalised twice, or never opened");
            told.finalised = true;
            _due[model] = told.aggregate;
        }
    }

    /// @dev Of finalised rounds, by the coordinator, under a record; and a retrained model goes on where `first` began.
    function _readRemediation(Log memory log, uint32 model, uint32 first, address who) private {
        (uint32 last, bool retrained, bytes32 record) = abi.decode(log.data, (uint32, bool, bytes32));
        vm.assertTrue(who == _terms[model].coordinator && record != 0, "a remediation of nobody's");
        vm.assertTrue(first != 0 && first <= last && _told[model][last].finalised, "a remediation of no round");
        vm.assertTrue(last == _rounds[model] || !_told[model][last + 1].finalised, "a round left out of a remediation");
        if (retrained) _due[model] = _told[model][first].parent;
    }

    function _readUpdate(Log memory log, uint32 model, uint32 round) private {
        Told storage told = _told[model][round];
        address site = address(uint160(uint256(log.topics[3])));
        (, bytes32 parent,,, uint32 cohort, uint32 epsilon) =
            abi.decode(log.data, (bytes32, bytes32, bytes32, bytes32, uint32, uint32));
        vm.assertTrue(!told.finalised, "a finalised round changed");
        vm.assertTrue(!_committed[model][round][site], "a second update of a site");
        vm.assertEq(parent, told.parent, "an update of something else");
        vm.assertTrue(cohort >= _terms[model].minimumCohort, "under cohort");
        _spent[model][site] += epsilon;
        vm.assertTrue(_spent[model][site] <= _terms[model].budget, "over budget");
        _committed[model][round][site] = true;
        ++told.updates;
    }

    function _requireSpent(uint32 model, address site) private view {
        uint256 spent = models.standingOf(model, site).spent;
        vm.assertEq(spent, _spent[model][site], "spent");
        vm.assertTrue(spent <= _terms[model].budget, "over budget");
    }

    function _termsOf(Model memory model) private pure returns (bytes32) {
        return
            keccak256(abi.encode(model.coordinator, model.purpose, model.categories, model.minimumCohort, model.budget));
    }

    function _newest(uint32 model) private view returns (Told storage) {
        return _told[model][_rounds[model]];
    }

    /// @dev What the next round starts from, or the open one did.
    function _present(uint32 model) private view returns (bytes32) {
        return _due[model];
    }

    function _anyModel(uint256 seed) private view returns (uint32) {
        return uint32(bound(seed, 1, _count));
    }

    function _anySite(uint256 seed) private view returns (address) {
        seed %= 8;
        if (seed == 0) return coordinator;
        return seed & 1 == 0 ? researcher : otherSite;
    }
}

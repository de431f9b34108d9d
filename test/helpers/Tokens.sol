// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// Keeps a hundredth of every transfer, paid by the receiver.
contract FeeToken is ERC20("Fee", "FEE") {
    address public constant COLLECTOR = address(0xfee);

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    function _update(address from, address to, uint256 value) internal override {
        uint256 fee = from == address(0) ? 0 : value / 100;
        super._update(from, to, value - fee);
        if (fee != 0) super._update(from, COLLECTOR, fee);
    }
}

/// Charges the sender a hundredth on top of every transfer.
contract ChargingToken is ERC20("Charging", "CHG") {
    address public constant COLLECTOR = address(0xfee);

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && value >= 100) super._update(from, COLLECTOR, value / 100);
    }
}

/// Calls whatever it was told to before every transfer, as tokens with hooks do.
contract HookToken is ERC20("Hook", "HOOK") {
    address public target;
    bytes public data;
    bytes public answer;
    bool public bubbles;

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    /// Whether a call that fails makes the transfer fail, with the same reason.
    function setBubbles(bool value) external {
        bubbles = value;
    }

    function setHook(address target_, bytes calldata data_) external {
        (target, data) = (target_, data_);
    }

    function forget() external {
        answer = "";
    }

    function _update(address from, address to, uint256 value) internal override {
        if (target != address(0) && from != address(0)) {
            (bool ok, bytes memory got) = target.call(data);
            require(!ok, "the hook got through");
            if (bubbles) {
                assembly {
                    revert(add(got, 32), mload(got))
                }
            }
            answer = got;
        }
        super._update(from, to, value);
    }
}

/// Returns nothing at all, as USDT does.
contract SilentToken {
    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    function mint(address account, uint256 amount) external {
        balanceOf[account] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// Adds one unit out of nothing to every transfer.
contract GenerousToken is ERC20("Generous", "GEN") {
    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0)) super._update(address(0), to, 1);
    }
}

/// Says false, or true without moving anything.
contract LyingToken is ERC20("Lying", "LIE") {
    bool public verdict;

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    function setVerdict(bool value) external {
        verdict = value;
    }

    function transfer(address, uint256) public view override returns (bool) {
        return verdict;
    }

    function transferFrom(address, address, uint256) public view override returns (bool) {
        return verdict;
    }
}

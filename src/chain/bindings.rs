//! The contracts as Rust types, generated from `contracts/interfaces/*.sol` (joined by `build.rs`).
//!
//! What the interfaces do not declare, because it comes from OpenZeppelin or from implementation files, is copied below;
//! a test compares all of it with the ABIs that forge writes, but for generated contracts.

use alloy::json_abi;

/// One module per Solidity interface.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod interfaces {
    include!(concat!(env!("OUT_DIR"), "/interfaces.rs"));
}

pub use interfaces::{
    IAggregateRouter, IAggregateVerifier, IERC20, IEasAttestationSource, IGuarded, IInferenceRouter, IInferenceVerifier,
    IInputAttestation, ILendingThreshold, IProofVerifier, IZkmlConsumer,
};

/// Functions and errors declared outside the interfaces.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
mod elsewhere {
    alloy::sol! {
        #![sol(abi, all_derives)]

        interface Ownable2Step {
            error OwnableUnauthorizedAccount(address account);
            error OwnableInvalidOwner(address owner);
            error RenounceRefused(address owner);
            function owner() external view returns (address);
            function pendingOwner() external view returns (address);
            function transferOwnership(address newOwner) external;
            function acceptOwnership() external;
            event OwnershipTransferStarted(address indexed previousOwner, address indexed newOwner);
            event OwnershipTransferred(address indexed previousOwner, address indexed newOwner);
        }

        interface GuardedTimelock {
            error InvalidGuardian(address decider, address guardian);
            error TimelockInsufficientDelay(uint256 delay, uint256 minDelay);
            error TimelockUnexpectedOperationState(bytes32 operationId, bytes32 expectedStates);
            error TimelockUnexecutedPredecessor(bytes32 predecessorId);
            error TimelockUnauthorizedCaller(address caller);
            error TimelockInvalidOperationLength(uint256 targets, uint256 payloads, uint256 values);
            error AccessControlBadConfirmation();
            error AccessControlUnauthorizedAccount(address account, bytes32 neededRole);
            event CallScheduled(
                bytes32 indexed id, uint256 indexed index, address target, uint256 value, bytes data, bytes32 predecessor, uint256 delay
            );
            event CallExecuted(bytes32 indexed id, uint256 indexed index, address target, uint256 value, bytes data);
            event Cancelled(bytes32 indexed id);
            event MinDelayChange(uint256 oldDuration, uint256 newDuration);
            event RoleGranted(bytes32 indexed role, address indexed account, address indexed sender);
            event RoleRevoked(bytes32 indexed role, address indexed account, address indexed sender);
            function getMinDelay() external view returns (uint256);
            function hasRole(bytes32 role, address account) external view returns (bool);
        }

        interface FamilyVerifier {
            error OtherFamily(bytes32 expected, bytes32 got);
            error InvalidKeyLength(uint256 expected, uint256 got);
            function verifyProof(bytes calldata key, uint256[] calldata publicInputs, bytes calldata proof) external view;
        }

        interface FieldElement {
            error IntegerOutOfRange(int256 value);
            error NotCanonical(uint256 value);
        }

        interface Helpers {
            error FailedCall();
            error EnforcedPause();
            error ExpectedPause();
            error ReentrancyGuardReentrantCall();
            error InvalidShortString();
            error StringTooLong(string str);
            error SafeCastOverflowedUintDowncast(uint8 bits, uint256 value);
            event Paused(address account);
            event Unpaused(address account);
            function paused() external view returns (bool);
        }

        interface TokenErrors {
            error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed);
            error ERC20InvalidSender(address sender);
            error ERC20InvalidReceiver(address receiver);
            error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed);
            error ERC20InvalidApprover(address approver);
            error ERC20InvalidSpender(address spender);
            error SafeERC20FailedOperation(address token);
        }

        interface MockERC20 {
            function mint(address account, uint256 amount) external;
        }
    }
}

pub use elsewhere::{FamilyVerifier, FieldElement, GuardedTimelock, Helpers, MockERC20, Ownable2Step, TokenErrors};

/// Every error that a contract of this project can revert with.
pub(super) fn all_errors() -> Vec<json_abi::Error> {
    let maps = [
        IAggregateRouter::abi::errors(),
        IEasAttestationSource::abi::errors(),
        IGuarded::abi::errors(),
        IInferenceRouter::abi::errors(),
        IInputAttestation::abi::errors(),
        ILendingThreshold::abi::errors(),
        IProofVerifier::abi::errors(),
        IZkmlConsumer::abi::errors(),
        Ownable2Step::abi::errors(),
        GuardedTimelock::abi::errors(),
        FamilyVerifier::abi::errors(),
        FieldElement::abi::errors(),
        Helpers::abi::errors(),
        TokenErrors::abi::errors(),
    ];
    maps.into_iter().flat_map(|errors| errors.into_values().flatten()).collect()
}

/// Every event that a contract of this project emits about itself.
pub(super) fn all_events() -> Vec<json_abi::Event> {
    let maps = [
        IAggregateRouter::abi::events(),
        IGuarded::abi::events(),
        IInferenceRouter::abi::events(),
        IInputAttestation::abi::events(),
        ILendingThreshold::abi::events(),
        IZkmlConsumer::abi::events(),
        Ownable2Step::abi::events(),
        GuardedTimelock::abi::events(),
        Helpers::abi::events(),
    ];
    maps.into_iter().flat_map(|events| events.into_values().flatten()).collect()
}

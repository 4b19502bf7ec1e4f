package passkeys

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"burble/app/accounts"
	"burble/app/identity"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"
)

// Site is the web site that passkeys belong to. If it comes from a request, the caller must have checked the request's
// Origin header.
type Site struct {
	ID      string   // the RP ID: the bare host name, without a port
	Name    string   // shown by browsers
	Origins []string // with scheme and port
}

// webAuthn returns the WebAuthn library, configured for the site. A passkey is the only factor, so the authenticator must
// verify the user, with a fingerprint or a PIN for example.
func (s Site) webAuthn() (*webauthn.WebAuthn, error) {
	required := true
	return webauthn.New(&webauthn.Config{
		RPID: s.ID, RPDisplayName: s.Name, RPOrigins: s.Origins,
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: &required,
			UserVerification: protocol.VerificationRequired,
		},
		// Browsers and browser extensions add unsolicited extension outputs. These outputs are ignored, because nothing here
		// reads them.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
}

// Passkeys creates and verifies passkeys. It is safe for concurrent use.
type Passkeys struct {
	accounts *accounts.Accounts
	log      *slog.Logger
}

// New returns a Passkeys that uses the accounts.
func New(a *accounts.Accounts, log *slog.Logger) *Passkeys { return &Passkeys{a, log} }

// record is a passkey in Redis, as JSON. It omits the attestation, which is not needed here and makes up most of the
// library's own type.
type record struct {
	PublicKey      []byte `json:"key"`              // in COSE form
	AAGUID         []byte `json:"aaguid,omitempty"` // the model of the authenticator
	SignCount      uint32 `json:"count,omitempty"`
	BackupEligible bool   `json:"be,omitempty"`
	BackupState    bool   `json:"bs,omitempty"`
	Name           string `json:"name,omitempty"`
	Created        int64  `json:"created"` // in Unix seconds
	Used           int64  `json:"used"`    // in Unix seconds
}

// update copies the fields that may change each time the passkey is used.
func (r *record) update(c *webauthn.Credential) {
	r.SignCount, r.Used = c.Authenticator.SignCount, time.Now().Unix()
	r.BackupEligible, r.BackupState = c.Flags.BackupEligible, c.Flags.BackupState
}

func (r *record) encode() string {
	encoded, err := json.Marshal(r)
	if err != nil {
		panic(err) // unreachable: all fields can be encoded
	}
	return string(encoded)
}

// user implements webauthn.User.
type user struct {
	identity.User
	handle      uuid.UUID
	credentials []webauthn.Credential
}

// WebAuthnID implements webauthn.User.
func (u *user) WebAuthnID() []byte { return u.handle[:] }

// WebAuthnName implements webauthn.User.
func (u *user) WebAuthnName() string { return u.Name }

// WebAuthnDisplayName implements webauthn.User.
func (u *user) WebAuthnDisplayName() string { return u.Name }

// WebAuthnCredentials implements webauthn.User.
func (u *user) WebAuthnCredentials() []webauthn.Credential { return u.credentials }

func encodeID(credential []byte) string { return base64.RawURLEncoding.EncodeToString(credential) }

// creation is the state of a ceremony that creates a passkey.
type creation struct {
	User    identity.User        `json:"user"`
	Session webauthn.SessionData `json:"session"`
}

// BeginCreate prepares the registration of a passkey. The owner must be the user who is signed in, a guest whose token was
// verified, or a new user from identity.NewUser. It returns the options for navigator.credentials.create, as JSON, and the
// code for FinishCreate.
func (p *Passkeys) BeginCreate(ctx context.Context, site Site, owner identity.User) (options []byte, code string, err error) {
	handle, err := uuid.Parse(owner.ID)
	if err != nil {
		return nil, "", accounts.ErrUnknown
	}
	existing, err := p.accounts.Passkeys(ctx, owner.ID)
	if err != nil {
		return nil, "", err
	}
	var exclude []protocol.CredentialDescriptor
	for text := range existing {
		if id, err := base64.RawURLEncoding.DecodeString(text); err == nil {
			exclude = append(exclude, protocol.CredentialDescriptor{Type: protocol.PublicKeyCredentialType, CredentialID: id})
		}
	}
	library, err := site.webAuthn()
	if err != nil {
		return nil, "", err
	}
	wanted, session, err := library.BeginRegistration(&user{User: owner, handle: handle}, webauthn.WithExclusions(exclude))
	if err != nil {
		return nil, "", err
	}
	return p.begin(ctx, "create", wanted, creation{owner, *session})
}

// begin stores the state of a ceremony, and returns its options as JSON.
func (p *Passkeys) begin(ctx context.Context, kind string, wanted, state any) (options []byte, code string, err error) {
	if options, err = json.Marshal(wanted); err == nil {
		code, err = p.accounts.StartCeremony(ctx, kind, state)
	}
	return options, code, err
}

// FinishCreate verifies the browser's response, which is JSON. name is the passkey's name in the user's list.
// FinishCreate stores nothing: the caller must pass the passkey to Accounts.AddPasskey, or include it in the SignIn that
// creates the account.
func (p *Passkeys) FinishCreate(ctx context.Context, site Site, code string, response []byte, name string) (*accounts.Passkey, error) {
	var state creation
	if err := p.accounts.TakeCeremony(ctx, "create", code, &state); err != nil {
		return nil, err
	}
	library, err := site.webAuthn()
	if err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return nil, p.refuse("create a passkey", err)
	}
	handle, err := uuid.Parse(state.User.ID)
	if err != nil {
		return nil, p.refuse("create a passkey", err)
	}
	credential, err := library.CreateCredential(&user{User: state.User, handle: handle}, state.Session, parsed)
	if err != nil {
		return nil, p.refuse("create a passkey", err)
	}
	stored := record{PublicKey: credential.PublicKey, AAGUID: credential.Authenticator.AAGUID, Name: shorten(name), Created: time.Now().Unix()}
	stored.update(credential)
	return &accounts.Passkey{User: state.User, ID: encodeID(credential.ID), Record: stored.encode()}, nil
}

// Info describes a passkey in a list.
type Info struct {
	ID      string // for Accounts.RemovePasskey
	Name    string // may be empty
	Model   string // the AAGUID of the authenticator, a UUID, or ""
	Created time.Time
	Used    time.Time
}

// List returns a person's passkeys, oldest first.
func (p *Passkeys) List(ctx context.Context, userID string) ([]Info, error) {
	all, err := p.accounts.Passkeys(ctx, userID)
	if err != nil {
		return nil, err
	}
	var found []Info
	for id, encoded := range all {
		var stored record
		if json.Unmarshal([]byte(encoded), &stored) != nil {
			continue
		}
		info := Info{ID: id, Name: stored.Name, Created: time.Unix(stored.Created, 0), Used: time.Unix(stored.Used, 0)}
		if model, err := uuid.FromBytes(stored.AAGUID); err == nil && model != uuid.Nil {
			info.Model = model.String()
		}
		found = append(found, info)
	}
	slices.SortFunc(found, func(a, b Info) int { return a.Created.Compare(b.Created) })
	return found, nil
}

// Rename changes the name of one of the signed-in account's passkeys.
func (p *Passkeys) Rename(ctx context.Context, s accounts.Session, id, name string) error {
	for {
		encoded, err := p.accounts.Passkey(ctx, s.User.String(), id)
		if err != nil {
			return err
		}
		var stored record
		if encoded == "" || json.Unmarshal([]byte(encoded), &stored) != nil {
			return accounts.ErrUnknown
		}
		if stored.Name = shorten(name); stored.encode() == encoded {
			return nil
		}
		changed, err := p.accounts.ChangePasskey(ctx, s, id, encoded, stored.encode())
		if err != nil || changed {
			return err
		}
	}
}

// maxName is the maximum length of a passkey's name, in bytes.
const maxName = 100

func shorten(name string) string {
	name = strings.Join(strings.Fields(strings.ToValidUTF8(name, "")), " ")
	for len(name) > maxName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}

// refuse logs why a response was not valid, and returns ErrRefused. The library's error may quote the
// response, so only its type is logged.
func (p *Passkeys) refuse(what string, err error) error {
	reason := "unexpected error"
	if known := (*protocol.Error)(nil); errors.As(err, &known) {
		reason = known.Type
	}
	p.log.Info("refused to "+what, "reason", reason)
	return accounts.ErrRefused
}

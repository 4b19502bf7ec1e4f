package main

import (
	"os"
	"strings"
	"testing"
)

func TestDotEnvIsIgnoredIfGoEnvIsSet(t *testing.T) {
	for _, test := range []struct{ goEnv, file, want string }{
		{"", "SECRET_OF_TEST=from-file\n", "from-file"},
		{"production", "SECRET_OF_TEST=from-file\n", ""},
		{"production", "not a setting\n", ""},
	} {
		t.Run("GO_ENV="+test.goEnv, func(t *testing.T) {
			t.Chdir(t.TempDir())
			t.Setenv("GO_ENV", test.goEnv)
			t.Setenv("SECRET_OF_TEST", "") // restores the variable when the test ends
			os.Unsetenv("SECRET_OF_TEST")
			if err := os.WriteFile(".env", []byte(test.file), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := loadDotEnv(); err != nil {
				t.Fatal(err)
			}
			if got := os.Getenv("SECRET_OF_TEST"); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestDotEnvDoesNotOverrideEnvironment(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("GO_ENV", "")
	t.Setenv("SECRET_OF_TEST", "from-environment")
	if err := loadDotEnv(); err != nil {
		t.Errorf("without a file: %v", err)
	}
	if err := os.WriteFile(".env", []byte("SECRET_OF_TEST=from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := loadDotEnv(); err != nil {
		t.Fatal(err)
	}
	if got := os.Getenv("SECRET_OF_TEST"); got != "from-environment" {
		t.Errorf("SECRET_OF_TEST = %q, want the value from the environment", got)
	}
}

func TestInvalidDotEnvErrorNamesFile(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("GO_ENV", "")
	if err := os.WriteFile(".env", []byte("not a setting\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := loadDotEnv(); err == nil || !strings.Contains(err.Error(), ".env") {
		t.Errorf("error %v, want one that names .env", err)
	}
}

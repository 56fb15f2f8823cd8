// Generated: make types

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  public: {
    Tables: {
      activities: {
        Row: {
          activity_date: string;
          activity_type_id: string;
          approved_expenses_nok: number;
          contact_id: string | null;
          coordinator_id: string | null;
          duplicate_of: string | null;
          duration_minutes: number;
          id: string;
          insert_number: number;
          inserted_at: string;
          is_counted: boolean;
          is_date_given: boolean | null;
          is_proxy_registered: boolean;
          not_counted_because: string | null;
          occurred_at: string;
          organization_id: string;
          participant_count: number;
          peer_mentor_id: string;
          recorded_at: string;
          registered_by: string;
          status: Database["public"]["Enums"]["activity_status"];
          summary: string | null;
          unit_id: string;
        };
        ComputedFields: never;
        Insert: {
          activity_date: string;
          activity_type_id: string;
          approved_expenses_nok?: number;
          contact_id?: string | null;
          coordinator_id?: string | null;
          duplicate_of?: string | null;
          duration_minutes: number;
          id?: string;
          insert_number?: never;
          inserted_at?: string;
          is_counted?: never;
          is_date_given?: boolean | null;
          is_proxy_registered?: boolean;
          not_counted_because?: string | null;
          occurred_at: string;
          organization_id?: string;
          participant_count?: number;
          peer_mentor_id?: string;
          recorded_at?: string;
          registered_by?: string;
          status?: Database["public"]["Enums"]["activity_status"];
          summary?: string | null;
          unit_id: string;
        };
        Update: {
          activity_date?: string;
          activity_type_id?: string;
          approved_expenses_nok?: number;
          contact_id?: string | null;
          coordinator_id?: string | null;
          duplicate_of?: string | null;
          duration_minutes?: number;
          id?: string;
          insert_number?: never;
          inserted_at?: string;
          is_counted?: never;
          is_date_given?: boolean | null;
          is_proxy_registered?: boolean;
          not_counted_because?: string | null;
          occurred_at?: string;
          organization_id?: string;
          participant_count?: number;
          peer_mentor_id?: string;
          recorded_at?: string;
          registered_by?: string;
          status?: Database["public"]["Enums"]["activity_status"];
          summary?: string | null;
          unit_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: "activities_activity_type_fkey";
            columns: ["activity_type_id", "organization_id"];
            isOneToOne: false;
            referencedRelation: "activity_types";
            referencedColumns: ["id", "organization_id"];
          },
          {
            foreignKeyName: "activities_coordinator_fkey";
            columns: ["organization_id", "coordinator_id"];
            isOneToOne: false;
            referencedRelation: "profiles";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "activities_duplicate_of_fkey";
            columns: ["duplicate_of"];
            isOneToOne: false;
            referencedRelation: "activities";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "activities_peer_mentor_fkey";
            columns: ["peer_mentor_id", "organization_id"];
            isOneToOne: false;
            referencedRelation: "profiles";
            referencedColumns: ["id", "organization_id"];
          },
          {
            foreignKeyName: "activities_registered_by_fkey";
            columns: ["registered_by", "organization_id"];
            isOneToOne: false;
            referencedRelation: "profiles";
            referencedColumns: ["id", "organization_id"];
          },
          {
            foreignKeyName: "activities_unit_fkey";
            columns: ["unit_id", "organization_id"];
            isOneToOne: false;
            referencedRelation: "chapters";
            referencedColumns: ["id", "organization_id"];
          },
          {
            foreignKeyName: "activities_unit_fkey";
            columns: ["unit_id", "organization_id"];
            isOneToOne: false;
            referencedRelation: "organization_units";
            referencedColumns: ["id", "organization_id"];
          },
        ];
      };
      activity_history: {
        Row: {
          activity_id: string;
          after: Json | null;
          before: NonNullable<Json>;
          changed_at: string;
          changed_by: string | null;
          id: number;
          operation: string;
          organization_id: string;
        };
        ComputedFields: never;
        Insert: {
          activity_id: string;
          after?: Json | null;
          before: NonNullable<Json>;
          changed_at?: string;
          changed_by?: string | null;
          id?: never;
          operation: string;
          organization_id: string;
        };
        Update: {
          activity_id?: string;
          after?: Json | null;
          before?: NonNullable<Json>;
          changed_at?: string;
          changed_by?: string | null;
          id?: never;
          operation?: string;
          organization_id?: string;
        };
        Relationships: [];
      };
      activity_types: {
        Row: {
          code: string;
          id: string;
          label: string;
          organization_id: string;
        };
        ComputedFields: never;
        Insert: {
          code: string;
          id?: string;
          label: string;
          organization_id?: string;
        };
        Update: {
          code?: string;
          id?: string;
          label?: string;
          organization_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: "activity_types_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      bufdir_category_mappings: {
        Row: {
          activity_type_id: string;
          bufdir_category_code: string;
          mapping_version: number;
        };
        ComputedFields: never;
        Insert: {
          activity_type_id: string;
          bufdir_category_code: string;
          mapping_version: number;
        };
        Update: {
          activity_type_id?: string;
          bufdir_category_code?: string;
          mapping_version?: number;
        };
        Relationships: [
          {
            foreignKeyName: "bufdir_category_mappings_activity_type_id_fkey";
            columns: ["activity_type_id"];
            isOneToOne: false;
            referencedRelation: "activity_types";
            referencedColumns: ["id"];
          },
        ];
      };
      bufdir_export_audit_log: {
        Row: {
          exported_at: string;
          exported_by: string;
          figures: NonNullable<Json>;
          format: string | null;
          id: number;
          organization_id: string;
          period_end: string;
          period_start: string;
          snapshot_id: string | null;
          source_fingerprint: string;
          verdict: NonNullable<Json>;
          version: number | null;
          version_hash: string | null;
          version_id: string | null;
        };
        ComputedFields: never;
        Insert: {
          exported_at?: string;
          exported_by: string;
          figures: NonNullable<Json>;
          format?: string | null;
          id?: never;
          organization_id: string;
          period_end: string;
          period_start: string;
          snapshot_id?: string | null;
          source_fingerprint: string;
          verdict: NonNullable<Json>;
          version?: number | null;
          version_hash?: string | null;
          version_id?: string | null;
        };
        Update: {
          exported_at?: string;
          exported_by?: string;
          figures?: NonNullable<Json>;
          format?: string | null;
          id?: never;
          organization_id?: string;
          period_end?: string;
          period_start?: string;
          snapshot_id?: string | null;
          source_fingerprint?: string;
          verdict?: NonNullable<Json>;
          version?: number | null;
          version_hash?: string | null;
          version_id?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "bufdir_export_audit_log_exported_by_fkey";
            columns: ["exported_by"];
            isOneToOne: false;
            referencedRelation: "profiles";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "bufdir_export_audit_log_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "bufdir_export_audit_log_version_id_fkey";
            columns: ["version_id"];
            isOneToOne: false;
            referencedRelation: "bufdir_report_versions";
            referencedColumns: ["id"];
          },
        ];
      };
      bufdir_mapping_versions: {
        Row: {
          mapping_version: number;
          organization_id: string;
          published_at: string;
          valid_from_year: number;
        };
        ComputedFields: never;
        Insert: {
          mapping_version: number;
          organization_id?: string;
          published_at?: string;
          valid_from_year: number;
        };
        Update: {
          mapping_version?: number;
          organization_id?: string;
          published_at?: string;
          valid_from_year?: number;
        };
        Relationships: [
          {
            foreignKeyName: "bufdir_mapping_versions_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      bufdir_metric_snapshots: {
        Row: {
          computed_at: string;
          id: string;
          mapping_version: number;
          organization_id: string;
          period_end: string;
          period_start: string;
          record_count_at_generation: number;
          snapshot_generated_at: string;
          snapshot_json: NonNullable<Json>;
          source_fingerprint: string;
        };
        ComputedFields: never;
        Insert: {
          computed_at?: string;
          id?: string;
          mapping_version: number;
          organization_id?: string;
          period_end: string;
          period_start: string;
          record_count_at_generation: number;
          snapshot_generated_at?: string;
          snapshot_json: NonNullable<Json>;
          source_fingerprint: string;
        };
        Update: {
          computed_at?: string;
          id?: string;
          mapping_version?: number;
          organization_id?: string;
          period_end?: string;
          period_start?: string;
          record_count_at_generation?: number;
          snapshot_generated_at?: string;
          snapshot_json?: NonNullable<Json>;
          source_fingerprint?: string;
        };
        Relationships: [
          {
            foreignKeyName: "bufdir_metric_snapshots_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      bufdir_report_versions: {
        Row: {
          approved_at: string | null;
          approved_by: string | null;
          complete_hash: string;
          counting_rule: NonNullable<Json>;
          hash: string;
          id: string;
          mapping: NonNullable<Json>;
          mapping_version: number;
          organization_id: string;
          period_end: string;
          period_start: string;
          position: number;
          prepared_at: string;
          prepared_by: string;
          previous_hash: string;
          record_count: number;
          sent_at: string | null;
          sent_by: string | null;
          signed_hash: string | null;
          snapshot_json: NonNullable<Json>;
          source_fingerprint: string;
          version: number;
        };
        ComputedFields: never;
        Insert: {
          approved_at?: string | null;
          approved_by?: string | null;
          complete_hash: string;
          counting_rule: NonNullable<Json>;
          hash: string;
          id?: string;
          mapping: NonNullable<Json>;
          mapping_version: number;
          organization_id: string;
          period_end: string;
          period_start: string;
          position: number;
          prepared_at?: string;
          prepared_by: string;
          previous_hash: string;
          record_count: number;
          sent_at?: string | null;
          sent_by?: string | null;
          signed_hash?: string | null;
          snapshot_json: NonNullable<Json>;
          source_fingerprint: string;
          version: number;
        };
        Update: {
          approved_at?: string | null;
          approved_by?: string | null;
          complete_hash?: string;
          counting_rule?: NonNullable<Json>;
          hash?: string;
          id?: string;
          mapping?: NonNullable<Json>;
          mapping_version?: number;
          organization_id?: string;
          period_end?: string;
          period_start?: string;
          position?: number;
          prepared_at?: string;
          prepared_by?: string;
          previous_hash?: string;
          record_count?: number;
          sent_at?: string | null;
          sent_by?: string | null;
          signed_hash?: string | null;
          snapshot_json?: NonNullable<Json>;
          source_fingerprint?: string;
          version?: number;
        };
        Relationships: [
          {
            foreignKeyName: "bufdir_report_versions_approved_by_fkey";
            columns: ["approved_by"];
            isOneToOne: false;
            referencedRelation: "profiles";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "bufdir_report_versions_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "bufdir_report_versions_prepared_by_fkey";
            columns: ["prepared_by"];
            isOneToOne: false;
            referencedRelation: "profiles";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "bufdir_report_versions_sent_by_fkey";
            columns: ["sent_by"];
            isOneToOne: false;
            referencedRelation: "profiles";
            referencedColumns: ["id"];
          },
        ];
      };
      bufdir_thresholds: {
        Row: {
          at_risk_ratio: number;
          bufdir_category_code: string;
          minimum_activity_count: number;
          organization_id: string;
          valid_from_year: number;
        };
        ComputedFields: never;
        Insert: {
          at_risk_ratio?: number;
          bufdir_category_code: string;
          minimum_activity_count: number;
          organization_id?: string;
          valid_from_year: number;
        };
        Update: {
          at_risk_ratio?: number;
          bufdir_category_code?: string;
          minimum_activity_count?: number;
          organization_id?: string;
          valid_from_year?: number;
        };
        Relationships: [
          {
            foreignKeyName: "bufdir_thresholds_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      chapter_assignments: {
        Row: {
          is_primary: boolean;
          organization_id: string;
          profile_id: string;
          unit_id: string;
        };
        ComputedFields: never;
        Insert: {
          is_primary?: boolean;
          organization_id?: string;
          profile_id: string;
          unit_id: string;
        };
        Update: {
          is_primary?: boolean;
          organization_id?: string;
          profile_id?: string;
          unit_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: "chapter_assignments_profile_id_organization_id_fkey";
            columns: ["profile_id", "organization_id"];
            isOneToOne: false;
            referencedRelation: "profiles";
            referencedColumns: ["id", "organization_id"];
          },
          {
            foreignKeyName: "chapter_assignments_unit_id_organization_id_fkey";
            columns: ["unit_id", "organization_id"];
            isOneToOne: false;
            referencedRelation: "chapters";
            referencedColumns: ["id", "organization_id"];
          },
          {
            foreignKeyName: "chapter_assignments_unit_id_organization_id_fkey";
            columns: ["unit_id", "organization_id"];
            isOneToOne: false;
            referencedRelation: "organization_units";
            referencedColumns: ["id", "organization_id"];
          },
        ];
      };
      counting_rules: {
        Row: {
          activity_type_id: string;
          counts: boolean;
          min_duration_minutes: number | null;
          min_participants: number | null;
          organization_id: string;
          source: string;
          valid_from: string;
        };
        ComputedFields: never;
        Insert: {
          activity_type_id: string;
          counts?: boolean;
          min_duration_minutes?: number | null;
          min_participants?: number | null;
          organization_id?: string;
          source: string;
          valid_from: string;
        };
        Update: {
          activity_type_id?: string;
          counts?: boolean;
          min_duration_minutes?: number | null;
          min_participants?: number | null;
          organization_id?: string;
          source?: string;
          valid_from?: string;
        };
        Relationships: [
          {
            foreignKeyName: "counting_rules_activity_type_fkey";
            columns: ["activity_type_id", "organization_id"];
            isOneToOne: false;
            referencedRelation: "activity_types";
            referencedColumns: ["id", "organization_id"];
          },
        ];
      };
      erasures: {
        Row: {
          erased_at: string;
          erased_by: string | null;
          erased_count: number | null;
          id: number;
          kind: string;
          organization_id: string;
        };
        ComputedFields: never;
        Insert: {
          erased_at?: string;
          erased_by?: string | null;
          erased_count?: number | null;
          id?: never;
          kind: string;
          organization_id: string;
        };
        Update: {
          erased_at?: string;
          erased_by?: string | null;
          erased_count?: number | null;
          id?: never;
          kind?: string;
          organization_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: "erasures_erased_by_fkey";
            columns: ["erased_by"];
            isOneToOne: false;
            referencedRelation: "profiles";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "erasures_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      expense_claims: {
        Row: {
          activity_id: string;
          amount_nok: number;
          decided_at: string | null;
          decided_by: string | null;
          id: string;
          organization_id: string;
          status: Database["public"]["Enums"]["expense_status"];
        };
        ComputedFields: never;
        Insert: {
          activity_id: string;
          amount_nok: number;
          decided_at?: string | null;
          decided_by?: string | null;
          id?: string;
          organization_id: string;
          status?: Database["public"]["Enums"]["expense_status"];
        };
        Update: {
          activity_id?: string;
          amount_nok?: number;
          decided_at?: string | null;
          decided_by?: string | null;
          id?: string;
          organization_id?: string;
          status?: Database["public"]["Enums"]["expense_status"];
        };
        Relationships: [
          {
            foreignKeyName: "expense_claims_activity_id_fkey";
            columns: ["activity_id"];
            isOneToOne: false;
            referencedRelation: "activities";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "expense_claims_decided_by_fkey";
            columns: ["decided_by"];
            isOneToOne: false;
            referencedRelation: "profiles";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "expense_claims_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      hierarchy_node_access: {
        Row: {
          last_read_at: string;
          reads: number;
          unit_id: string;
        };
        ComputedFields: never;
        Insert: {
          last_read_at: string;
          reads?: number;
          unit_id: string;
        };
        Update: {
          last_read_at?: string;
          reads?: number;
          unit_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: "hierarchy_node_access_unit_id_fkey";
            columns: ["unit_id"];
            isOneToOne: true;
            referencedRelation: "chapters";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "hierarchy_node_access_unit_id_fkey";
            columns: ["unit_id"];
            isOneToOne: true;
            referencedRelation: "organization_units";
            referencedColumns: ["id"];
          },
        ];
      };
      hierarchy_stats_cache: {
        Row: {
          computed_at: string;
          computed_at_mark: number;
          payload: NonNullable<Json>;
          period_year: number;
          unit_id: string;
        };
        ComputedFields: never;
        Insert: {
          computed_at: string;
          computed_at_mark: number;
          payload: NonNullable<Json>;
          period_year: number;
          unit_id: string;
        };
        Update: {
          computed_at?: string;
          computed_at_mark?: number;
          payload?: NonNullable<Json>;
          period_year?: number;
          unit_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: "hierarchy_stats_cache_unit_id_fkey";
            columns: ["unit_id"];
            isOneToOne: false;
            referencedRelation: "chapters";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "hierarchy_stats_cache_unit_id_fkey";
            columns: ["unit_id"];
            isOneToOne: false;
            referencedRelation: "organization_units";
            referencedColumns: ["id"];
          },
        ];
      };
      not_duplicates: {
        Row: {
          activity_id: string;
          decided_at: string;
          decided_by: string | null;
          organization_id: string;
          other_id: string;
        };
        ComputedFields: never;
        Insert: {
          activity_id: string;
          decided_at?: string;
          decided_by?: string | null;
          organization_id?: string;
          other_id: string;
        };
        Update: {
          activity_id?: string;
          decided_at?: string;
          decided_by?: string | null;
          organization_id?: string;
          other_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: "not_duplicates_activity_id_fkey";
            columns: ["activity_id"];
            isOneToOne: false;
            referencedRelation: "activities";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "not_duplicates_decided_by_fkey";
            columns: ["decided_by"];
            isOneToOne: false;
            referencedRelation: "profiles";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "not_duplicates_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "not_duplicates_other_id_fkey";
            columns: ["other_id"];
            isOneToOne: false;
            referencedRelation: "activities";
            referencedColumns: ["id"];
          },
        ];
      };
      organization_changes: {
        Row: {
          after: Json | null;
          before: Json | null;
          changed_at: string;
          changed_by: string;
          id: number;
          operation: string;
          organization_id: string;
          table_name: string;
        };
        ComputedFields: never;
        Insert: {
          after?: Json | null;
          before?: Json | null;
          changed_at?: string;
          changed_by: string;
          id?: never;
          operation: string;
          organization_id: string;
          table_name: string;
        };
        Update: {
          after?: Json | null;
          before?: Json | null;
          changed_at?: string;
          changed_by?: string;
          id?: never;
          operation?: string;
          organization_id?: string;
          table_name?: string;
        };
        Relationships: [];
      };
      organization_settings: {
        Row: {
          contact_retention: string | null;
          max_chapter_assignments: number;
          organization_id: string;
          snapshot_max_age: string;
          statistics_enabled: boolean;
          text_retention: string | null;
          time_zone: string;
          two_person_sign_off: boolean;
          warm_up_enabled: boolean;
          warm_up_limit: number;
        };
        ComputedFields: never;
        Insert: {
          contact_retention?: string | null;
          max_chapter_assignments?: number;
          organization_id: string;
          snapshot_max_age?: string;
          statistics_enabled?: boolean;
          text_retention?: string | null;
          time_zone?: string;
          two_person_sign_off?: boolean;
          warm_up_enabled?: boolean;
          warm_up_limit?: number;
        };
        Update: {
          contact_retention?: string | null;
          max_chapter_assignments?: number;
          organization_id?: string;
          snapshot_max_age?: string;
          statistics_enabled?: boolean;
          text_retention?: string | null;
          time_zone?: string;
          two_person_sign_off?: boolean;
          warm_up_enabled?: boolean;
          warm_up_limit?: number;
        };
        Relationships: [
          {
            foreignKeyName: "organization_settings_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: true;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      organization_units: {
        Row: {
          closed_on: string | null;
          id: string;
          kind: Database["public"]["Enums"]["unit_kind"];
          name: string;
          organization_id: string;
          parent_id: string | null;
          children: {
            closed_on: string | null;
            id: string;
            kind: Database["public"]["Enums"]["unit_kind"];
            name: string;
            organization_id: string;
            parent_id: string | null;
          } | null;
          parent: {
            closed_on: string | null;
            id: string;
            kind: Database["public"]["Enums"]["unit_kind"];
            name: string;
            organization_id: string;
            parent_id: string | null;
          } | null;
        };
        ComputedFields: "children" | "parent";
        Insert: {
          closed_on?: string | null;
          id?: string;
          kind: Database["public"]["Enums"]["unit_kind"];
          name: string;
          organization_id?: string;
          parent_id?: string | null;
        };
        Update: {
          closed_on?: string | null;
          id?: string;
          kind?: Database["public"]["Enums"]["unit_kind"];
          name?: string;
          organization_id?: string;
          parent_id?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "organization_units_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "organization_units_parent_fkey";
            columns: ["parent_id", "organization_id"];
            isOneToOne: false;
            referencedRelation: "chapters";
            referencedColumns: ["id", "organization_id"];
          },
          {
            foreignKeyName: "organization_units_parent_fkey";
            columns: ["parent_id", "organization_id"];
            isOneToOne: false;
            referencedRelation: "organization_units";
            referencedColumns: ["id", "organization_id"];
          },
        ];
      };
      organizations: {
        Row: {
          id: string;
          name: string;
          slug: string;
          units_changed_at: string;
        };
        ComputedFields: never;
        Insert: {
          id?: string;
          name: string;
          slug: string;
          units_changed_at?: string;
        };
        Update: {
          id?: string;
          name?: string;
          slug?: string;
          units_changed_at?: string;
        };
        Relationships: [];
      };
      profiles: {
        Row: {
          assigned_at: string | null;
          display_name: string;
          erased_at: string | null;
          id: string;
          is_active: boolean;
          organization_id: string;
          role: Database["public"]["Enums"]["profile_role"];
          user_id: string | null;
        };
        ComputedFields: never;
        Insert: {
          assigned_at?: string | null;
          display_name: string;
          erased_at?: string | null;
          id: string;
          is_active?: boolean;
          organization_id: string;
          role: Database["public"]["Enums"]["profile_role"];
          user_id?: string | null;
        };
        Update: {
          assigned_at?: string | null;
          display_name?: string;
          erased_at?: string | null;
          id?: string;
          is_active?: boolean;
          organization_id?: string;
          role?: Database["public"]["Enums"]["profile_role"];
          user_id?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "profiles_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      reporting_year_log: {
        Row: {
          changed_at: string;
          changed_by: string;
          id: number;
          is_locked: boolean;
          organization_id: string;
          reason: string | null;
          year: number;
        };
        ComputedFields: never;
        Insert: {
          changed_at?: string;
          changed_by: string;
          id?: never;
          is_locked: boolean;
          organization_id: string;
          reason?: string | null;
          year: number;
        };
        Update: {
          changed_at?: string;
          changed_by?: string;
          id?: never;
          is_locked?: boolean;
          organization_id?: string;
          reason?: string | null;
          year?: number;
        };
        Relationships: [
          {
            foreignKeyName: "reporting_year_log_changed_by_fkey";
            columns: ["changed_by"];
            isOneToOne: false;
            referencedRelation: "profiles";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "reporting_year_log_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      reporting_years: {
        Row: {
          locked_at: string | null;
          locked_by: string | null;
          organization_id: string;
          year: number;
        };
        ComputedFields: never;
        Insert: {
          locked_at?: string | null;
          locked_by?: string | null;
          organization_id: string;
          year: number;
        };
        Update: {
          locked_at?: string | null;
          locked_by?: string | null;
          organization_id?: string;
          year?: number;
        };
        Relationships: [
          {
            foreignKeyName: "reporting_years_locked_by_fkey";
            columns: ["locked_by"];
            isOneToOne: false;
            referencedRelation: "profiles";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "reporting_years_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
    };
    Views: {
      activity_time_series: {
        Row: {
          activity_count: number;
          bucket_date: string;
          chapter_id: string;
          total_hours: number;
        };
        ComputedFields: never;
        Relationships: [];
      };
      chapter_stats: {
        Row: {
          active_peer_mentors: number;
          activity_count: number;
          chapter_id: string;
          total_hours: number;
        };
        ComputedFields: never;
        Relationships: [];
      };
      chapters: {
        Row: {
          closed_on: string | null;
          id: string;
          name: string;
          organization_id: string;
          parent_id: string | null;
        };
        ComputedFields: never;
        Insert: {
          closed_on?: string | null;
          id?: string | null;
          name?: string | null;
          organization_id?: string | null;
          parent_id?: string | null;
        };
        Update: {
          closed_on?: string | null;
          id?: string | null;
          name?: string | null;
          organization_id?: string | null;
          parent_id?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "organization_units_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "organization_units_parent_fkey";
            columns: ["parent_id", "organization_id"];
            isOneToOne: false;
            referencedRelation: "chapters";
            referencedColumns: ["id", "organization_id"];
          },
          {
            foreignKeyName: "organization_units_parent_fkey";
            columns: ["parent_id", "organization_id"];
            isOneToOne: false;
            referencedRelation: "organization_units";
            referencedColumns: ["id", "organization_id"];
          },
        ];
      };
      coordinator_monthly_stats: {
        Row: {
          activity_count: number;
          activity_month: string;
          activity_type_id: string;
          approved_expenses_nok: number;
          coordinator_id: string;
          org_id: string;
          total_duration_minutes: number;
          total_hours: number;
        };
        ComputedFields: never;
        Relationships: [];
      };
      mv_activity_time_series: {
        Row: {
          activity_count: number;
          bucket_date: string;
          chapter_id: string;
          total_hours: number;
        };
        ComputedFields: never;
        Relationships: [];
      };
      mv_chapter_stats: {
        Row: {
          active_peer_mentors: number;
          activity_count: number;
          chapter_id: string;
          total_hours: number;
        };
        ComputedFields: never;
        Relationships: [];
      };
      mv_peer_mentor_stats: {
        Row: {
          activity_count: number;
          chapter_id: string;
          peer_mentor_id: string;
          total_hours: number;
        };
        ComputedFields: never;
        Relationships: [];
      };
      peer_mentor_stats: {
        Row: {
          activity_count: number;
          chapter_id: string;
          last_activity_date: string;
          peer_mentor_id: string;
          total_hours: number;
        };
        ComputedFields: never;
        Relationships: [];
      };
      possible_duplicates: {
        Row: {
          activity_date: string;
          activity_id: string;
          chapter_id: string;
          other_date: string;
          other_id: string;
          reason: string;
        };
        ComputedFields: never;
        Relationships: [];
      };
      stats_freshness: {
        Row: {
          last_refresh_ms: number | null;
          last_refreshed_at: string | null;
          oldest_pending_seconds: number;
          pending_changes: number;
        };
        ComputedFields: never;
        Insert: {
          last_refresh_ms?: never;
          last_refreshed_at?: never;
          oldest_pending_seconds?: never;
          pending_changes?: never;
        };
        Update: {
          last_refresh_ms?: never;
          last_refreshed_at?: never;
          oldest_pending_seconds?: never;
          pending_changes?: never;
        };
        Relationships: [];
      };
    };
    Functions: {
      acknowledge_wake_ups: { Args: Record<PropertyKey, never>; Returns: number };
      activity_types: {
        Args: { "": Database["public"]["Views"]["coordinator_monthly_stats"]["Row"] };
        Returns: {
          error: true;
        } & "the function public.activity_types with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache";
        SetofOptions: {
          from: "never_null.coordinator_monthly_stats";
          to: "activity_types";
          isOneToOne: true;
          isSetofReturn: true;
        };
      };
      approve_report: { Args: { version: string }; Returns: Json };
      chapters:
        | {
            Args: { "": Database["public"]["Views"]["activity_time_series"]["Row"] };
            Returns: {
              error: true;
            } & "the function public.chapters with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache";
            SetofOptions: {
              from: "never_null.activity_time_series";
              to: "chapters";
              isOneToOne: true;
              isSetofReturn: true;
            };
          }
        | {
            Args: { "": Database["public"]["Views"]["chapter_stats"]["Row"] };
            Returns: {
              error: true;
            } & "the function public.chapters with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache";
            SetofOptions: {
              from: "never_null.chapter_stats";
              to: "chapters";
              isOneToOne: true;
              isSetofReturn: true;
            };
          }
        | {
            Args: { "": Database["public"]["Views"]["mv_activity_time_series"]["Row"] };
            Returns: {
              error: true;
            } & "the function public.chapters with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache";
            SetofOptions: {
              from: "never_null.mv_activity_time_series";
              to: "chapters";
              isOneToOne: true;
              isSetofReturn: true;
            };
          }
        | {
            Args: { "": Database["public"]["Views"]["mv_chapter_stats"]["Row"] };
            Returns: {
              error: true;
            } & "the function public.chapters with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache";
            SetofOptions: {
              from: "never_null.mv_chapter_stats";
              to: "chapters";
              isOneToOne: true;
              isSetofReturn: true;
            };
          }
        | {
            Args: { "": Database["public"]["Views"]["mv_peer_mentor_stats"]["Row"] };
            Returns: {
              error: true;
            } & "the function public.chapters with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache";
            SetofOptions: {
              from: "never_null.mv_peer_mentor_stats";
              to: "chapters";
              isOneToOne: true;
              isSetofReturn: true;
            };
          }
        | {
            Args: { "": Database["public"]["Views"]["peer_mentor_stats"]["Row"] };
            Returns: {
              error: true;
            } & "the function public.chapters with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache";
            SetofOptions: {
              from: "never_null.peer_mentor_stats";
              to: "chapters";
              isOneToOne: true;
              isSetofReturn: true;
            };
          };
      children: {
        Args: { "": Database["public"]["Tables"]["organization_units"]["Row"] };
        Returns: {
          error: true;
        } & "the function public.children with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache";
        SetofOptions: {
          from: "organization_units";
          to: "organization_units";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      claim_webhook: { Args: { p_webhook_id: string }; Returns: boolean };
      compute_metric_snapshot: {
        Args: { p_period_end?: string; p_period_start?: string; p_year?: number };
        Returns: Json;
      };
      diagnose: { Args: Record<PropertyKey, never>; Returns: Json };
      erase_contact: { Args: { p_contact_id: string }; Returns: Json };
      erase_person: { Args: { p_profile_id: string }; Returns: Json };
      explain_report_difference: { Args: { against?: string; version: string }; Returns: Json };
      export_bufdir_snapshot: {
        Args: { p_period_end?: string; p_period_start?: string; p_year?: number };
        Returns: Json;
      };
      export_person: { Args: { p_profile_id: string }; Returns: Json };
      export_report_version: { Args: { format: string; version: string }; Returns: Json };
      generate_bufdir_report: {
        Args: {
          p_mapping_version?: number;
          p_org_id: string;
          p_period_end?: string;
          p_period_start?: string;
          p_year?: number;
        };
        Returns: Json;
      };
      get_activity_series: {
        Args: { p_bucket?: string; p_chapter_ids?: string[]; p_from?: string; p_to?: string; p_year?: number };
        Returns: Json;
      };
      get_ancestor_ids: { Args: { unit_id: string }; Returns: string[] };
      get_bufdir_alignment: { Args: { p_year: number }; Returns: Json };
      get_health: { Args: Record<PropertyKey, never>; Returns: Json };
      get_hierarchy_stats: { Args: { p_unit_id: string; p_year: number }; Returns: Json };
      get_metric_snapshot: { Args: { p_period_end?: string; p_period_start?: string; p_year?: number }; Returns: Json };
      get_metrics: { Args: Record<PropertyKey, never>; Returns: Json };
      get_monthly_series: {
        Args: { p_coordinator_id: string; p_from?: string; p_to?: string; p_year?: number };
        Returns: Json;
      };
      get_report_remarks: { Args: { p_period_end?: string; p_period_start?: string; p_year?: number }; Returns: Json };
      get_report_versions: { Args: { p_period_end?: string; p_period_start?: string; p_year?: number }; Returns: Json };
      get_role: { Args: Record<PropertyKey, never>; Returns: Database["public"]["Enums"]["profile_role"] };
      get_sign_ins: {
        Args: Record<PropertyKey, never>;
        Returns: {
          email: string;
          id: string;
          last_sign_in_at: string;
        }[];
      };
      get_snapshot_status: { Args: { p_period_end?: string; p_period_start?: string; p_year?: number }; Returns: Json };
      lock_reporting_year: { Args: { year: number }; Returns: Json };
      parent: {
        Args: { "": Database["public"]["Tables"]["organization_units"]["Row"] };
        Returns: {
          error: true;
        } & "the function public.parent with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache";
        SetofOptions: {
          from: "organization_units";
          to: "organization_units";
          isOneToOne: true;
          isSetofReturn: true;
        };
      };
      precompute_hierarchy: { Args: { p_organization_id: string; p_year: number }; Returns: number };
      prepare_report: { Args: { p_period_end?: string; p_period_start?: string; p_year?: number }; Returns: Json };
      preview_import: { Args: { kind: string; rows: Json }; Returns: Json };
      profiles:
        | {
            Args: { "": Database["public"]["Views"]["coordinator_monthly_stats"]["Row"] };
            Returns: {
              error: true;
            } & "the function public.profiles with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache";
            SetofOptions: {
              from: "never_null.coordinator_monthly_stats";
              to: "profiles";
              isOneToOne: true;
              isSetofReturn: true;
            };
          }
        | {
            Args: { "": Database["public"]["Views"]["mv_peer_mentor_stats"]["Row"] };
            Returns: {
              error: true;
            } & "the function public.profiles with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache";
            SetofOptions: {
              from: "never_null.mv_peer_mentor_stats";
              to: "profiles";
              isOneToOne: true;
              isSetofReturn: true;
            };
          }
        | {
            Args: { "": Database["public"]["Views"]["peer_mentor_stats"]["Row"] };
            Returns: {
              error: true;
            } & "the function public.profiles with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache";
            SetofOptions: {
              from: "never_null.peer_mentor_stats";
              to: "profiles";
              isOneToOne: true;
              isSetofReturn: true;
            };
          };
      read_hierarchy_stats: { Args: { p_unit_id: string; p_year: number }; Returns: Json };
      record_node_reads: { Args: { p_reads: Json }; Returns: number };
      refresh_hierarchy_entry: { Args: { p_unit_id: string; p_year: number }; Returns: boolean };
      refresh_stats_views: { Args: Record<PropertyKey, never>; Returns: Json };
      renew_metric_snapshot: {
        Args: { p_organization_id: string; p_period_end: string; p_period_start: string };
        Returns: boolean;
      };
      request_invalidation_again: { Args: Record<PropertyKey, never>; Returns: number };
      run_import: { Args: { kind: string; rows: Json }; Returns: Json };
      save_metric_snapshot: {
        Args: { p_period_end?: string; p_period_start?: string; p_year?: number };
        Returns: Json;
      };
      save_person: {
        Args: {
          display_name: string;
          id: string;
          is_active?: boolean;
          role: Database["public"]["Enums"]["profile_role"];
        };
        Returns: undefined;
      };
      search_units: {
        Args: { p_limit?: number; p_query: string };
        Returns: {
          id: string;
          kind: Database["public"]["Enums"]["unit_kind"];
          name: string;
          parent_id: string | null;
          parent_name: string | null;
        }[];
      };
      send_report: { Args: { version: string }; Returns: Json };
      take_refresh_turn: { Args: Record<PropertyKey, never>; Returns: undefined };
      take_unit_changes: { Args: Record<PropertyKey, never>; Returns: Json };
      unlock_reporting_year: { Args: { reason: string; year: number }; Returns: Json };
      warm_hierarchy_cache: { Args: { p_organization_id?: string; p_seconds?: number }; Returns: Json };
    };
    Enums: {
      activity_status: "draft" | "registered" | "rejected";
      expense_status: "pending" | "approved" | "rejected";
      profile_role: "peer_mentor" | "coordinator" | "org_admin";
      unit_kind: "national" | "region" | "district" | "local";
    };
    CompositeTypes: {
      [_ in never]: never;
    };
  };
};

type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">;

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">];

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])[TableName] extends {
      Row: infer R;
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
        Row: infer R;
      }
      ? R
      : never
    : never;

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"] | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Insert: infer I;
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Insert: infer I;
      }
      ? I
      : never
    : never;

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"] | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Update: infer U;
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Update: infer U;
      }
      ? U
      : never
    : never;

export type Enums<
  DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"] | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never,
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
    : never;

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never,
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
    : never;

export const Constants = {
  public: {
    Enums: {
      activity_status: ["draft", "registered", "rejected"],
      expense_status: ["pending", "approved", "rejected"],
      profile_role: ["peer_mentor", "coordinator", "org_admin"],
      unit_kind: ["national", "region", "district", "local"],
    },
  },
} as const;
